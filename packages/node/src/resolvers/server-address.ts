import { parseIp } from '../ip/ip-prefix.ts';

/**
 * The address of a name server in canonical form; with the link that a link-local one is on, where it is told: `fe80::1%eth0`.
 *
 * @returns undefined for what is none
 */
export function serverAddress(text: string): string | undefined {
  const [, address = '', zone = ''] = /^([^%]*)(%[!-$&-~]{1,64})?$/.exec(text) ?? [];
  const ip = parseIp(address);
  return ip === undefined || (zone !== '' && ip.family === 'inet4') ? undefined : ip.text + zone;
}
