import { parseMac } from '@bloomery/wire';
import type { Arch } from './environment-assets.ts';

/** What a machine says about itself when it asks for its boot script. Texts are cut to 256 characters. */
export interface IpxeQuery {
  readonly uuid: string;
  /** Lower case with colons; empty when it is missing or no hardware address. */
  readonly mac: string;
  readonly serial: string;
  readonly hostname: string;
  readonly arch: Arch;
}

const TEXT_MAX = 256;

/** Read the query of `/ipxe`. Keys are case-sensitive but `mac`; the first value of a repeated key counts. */
export function readIpxeQuery(query: URLSearchParams): IpxeQuery {
  const text = (key: string): string => (query.get(key) ?? '').slice(0, TEXT_MAX);
  const mac = [...query].find(([key]) => key.toLowerCase() === 'mac')?.[1] ?? '';
  return {
    uuid: text('uuid'),
    mac: parseMac(mac) ?? '',
    serial: text('serial'),
    hostname: text('hostname'),
    arch: text('arch') === 'arm64' ? 'arm64' : 'amd64',
  };
}
