import { BloomeryError, type BoundAddress, type Clock } from '@bloomery/ports';
import { parseIpv4, parseIpv6 } from '@bloomery/wire';
import { type ConnectionLimits, createConnections } from './connections.ts';
import type { TalosApi } from './talos-api.ts';
import { createTalosNode } from './talos-node.ts';

/** What asking machines needs. */
export interface TalosApiDeps {
  readonly clock: Clock;
  readonly limits?: Partial<ConnectionLimits>;
}

/** Port of apid on every machine. */
export const TALOS_API_PORT = 50_000;

const TIMEOUT_MS = 5_000;

/**
 * Ask machines over TLS 1.3 with a client certificate. A machine is believed when the cluster's CA signed its certificate for
 * the address that was dialled. Nothing is opened before the first call.
 */
export function createTalosApi({ clock, limits }: TalosApiDeps): TalosApi {
  const connections = createConnections(clock, limits);
  return {
    node: (address, credentials, { timeoutMs = TIMEOUT_MS } = {}) =>
      createTalosNode({ connections, address: parseAddress(address), credentials, timeoutMs }),
    [Symbol.asyncDispose]: async () => connections.close(),
  };
}

/** @throws BloomeryError BLM_WIRE_MALFORMED: addresses come from the status of objects, which anybody may have written. */
function parseAddress(text: string): BoundAddress {
  const [, v6, v4, port] = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15}))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? v4 ?? text;
  const known = v4 === undefined ? parseIpv6(host) : parseIpv4(v4);
  const number = port === undefined ? TALOS_API_PORT : Number(port);
  if (known !== undefined && number > 0 && number <= 65_535) return { host, port: number };
  throw new BloomeryError(
    'BLM_WIRE_MALFORMED',
    `reading the address of a machine: ${JSON.stringify(text.slice(0, 60))}`,
  );
}
