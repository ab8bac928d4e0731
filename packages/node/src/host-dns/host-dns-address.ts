/** Id of the one HostDNSConfig. */
export const HOST_DNS_ID = 'config';

/** Where processes of the host ask. */
export const LOCAL_ADDRESS = '127.0.0.53:53';
/** Where pods ask. */
export const SERVICE_ADDRESS = '169.254.116.108';
export const SERVICE_ADDRESS_V6 = 'fd54:616c:6f73:0:204f:5320:444e:531';

/** Id of a DNSResolveCache: `udp-127.0.0.53:53`, `tcp6-[fd54::1]:53`. */
export function listenerId(transport: 'udp' | 'tcp', address: string): string {
  return `${transport}${address.startsWith('[') ? '6' : ''}-${address}`;
}

/** Of the server for processes of the host. */
export const localServerId = (transport: 'udp' | 'tcp'): string => listenerId(transport, LOCAL_ADDRESS);
