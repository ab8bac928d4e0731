import type { TalosCredentials } from '@bloomery/talos';
import { parse } from 'yaml';

/** Whom a talosconfig lets one ask, and as whom. */
export interface TalosAccess {
  readonly endpoints: readonly string[];
  readonly credentials: TalosCredentials;
}

/** The present context of a talosconfig. @throws TypeError when it has none. */
export function readTalosconfig(text: string): TalosAccess {
  const config: unknown = parse(text, { maxAliasCount: 0 });
  const context = child(child(config, 'contexts'), String(child(config, 'context')));
  const endpoints = child(context, 'endpoints');
  const pem = (key: string): string => Buffer.from(String(child(context, key) ?? ''), 'base64').toString();
  if (!Array.isArray(endpoints)) throw new TypeError('the talosconfig has no endpoints');
  return {
    endpoints: endpoints.map(String),
    credentials: { ca: pem('ca'), crt: pem('crt'), key: pem('key') },
  };
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}
