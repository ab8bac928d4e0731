import type { Store } from '../store/store.ts';
import type { WebhookClientConfig } from './client-config.ts';
import { type Address, resolveService } from './resolve-service.ts';

/** Where a webhook is called. */
export interface WebhookEndpoint {
  /** Tried in order until one can be connected to. At least one. */
  readonly addresses: readonly Address[];
  /** Name or address that the certificate must be valid for. */
  readonly serverName: string;
  /** The Host header. */
  readonly authority: string;
  /** Path with query. */
  readonly path: string;
  readonly caPem: string | undefined;
}

/** The address of a webhook as kube-apiserver shows and calls it: with the timeout that the webhook is given. */
export function webhookUrl(config: WebhookClientConfig, timeoutSeconds: number): string {
  const query = `timeout=${timeoutSeconds}s`;
  if ('url' in config) return `${config.url}${config.url.includes('?') ? '&' : '?'}${query}`;
  const { name, namespace, port, path } = config.service;
  return `https://${name}.${namespace}.svc:${port}${path}?${query}`;
}

/** Find a webhook. @throws BloomeryError BLM_API_WEBHOOK_FAILED when nothing tells where its Service is. */
export function endpointOf(store: Store, config: WebhookClientConfig, timeoutSeconds: number): WebhookEndpoint {
  const url = new URL(webhookUrl(config, timeoutSeconds));
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    addresses:
      'service' in config ? resolveService(store, config.service) : [{ host, port: Number(url.port || '443') }],
    serverName: host,
    authority: url.host,
    path: `${url.pathname}${url.search}`,
    caPem: config.caPem,
  };
}
