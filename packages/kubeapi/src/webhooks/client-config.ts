import { isJsonObject, type Json } from '@bloomery/model';

/** The Service behind a webhook. */
export interface WebhookService {
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly port: number;
}

/** Where a webhook is, as configurations and CustomResourceDefinitions say it. */
export type WebhookClientConfig = {
  /** PEM; undefined: the authorities that Node.js trusts. */
  readonly caPem: string | undefined;
} & ({ readonly url: string } | { readonly service: WebhookService });

/** Read a clientConfig that passed validation; undefined when it names neither URL nor Service. */
export function readClientConfig(value: Json | undefined): WebhookClientConfig | undefined {
  if (!isJsonObject(value)) return undefined;
  const { url, service, caBundle } = value;
  const caPem =
    typeof caBundle === 'string' && caBundle !== '' ? Buffer.from(caBundle, 'base64').toString('utf8') : undefined;
  if (typeof url === 'string') return { url, caPem };
  if (!isJsonObject(service)) return undefined;
  const { namespace, name, path, port } = service;
  if (typeof namespace !== 'string' || typeof name !== 'string') return undefined;
  return {
    caPem,
    service: {
      namespace,
      name,
      path: typeof path === 'string' ? path : '/',
      port: typeof port === 'number' ? port : 443,
    },
  };
}
