/** A bound address of a listener. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/** Where to listen. Port 0 picks a free port. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** A started service; disposing it closes every socket and resolves when the last transfer ended. */
export type Service = AsyncDisposable & { readonly address: BoundAddress };

/** `host:port`, with IPv6 hosts in brackets. */
export function hostPort(address: BoundAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
