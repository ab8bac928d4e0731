import type { BoundAddress } from '@bloomery/ports';

/** `host:port` as an address; port 443 where none is given. IPv6 loses its brackets. */
export function splitHostPort(text: string): BoundAddress {
  const found = /^(.*?)(?::(\d{1,5}))?$/.exec(text);
  const host = (found?.[1] ?? text).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(found?.[2] ?? 443) };
}
