import { parseIpv4, parseIpv6 } from '@bloomery/wire';

/**
 * Whether an endpoint may be kept and given to a device again: `IPv4:port` or `[IPv6]:port`, without a zone, which is
 * another one after a restart of the host. Anybody who may write the status of a ServerBinding writes this text.
 */
export function isStorableEndpoint(text: string): boolean {
  const found = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):(\d{1,5})$/.exec(text);
  if (found === null) return false;
  const [, v6, v4 = '', port] = found;
  if (Number(port) < 1 || Number(port) > 65_535) return false;
  return (v6 === undefined ? parseIpv4(v4) : parseIpv6(v6)) !== undefined;
}
