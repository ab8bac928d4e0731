import { parseAddressPort } from '@bloomery/siderolink';

/**
 * Whether an endpoint may be kept and given to a device again: an address and a port. Anybody who may write the status of a
 * ServerBinding writes this text.
 */
export function isStorableEndpoint(text: string): boolean {
  const found = parseAddressPort(text);
  return found !== undefined && found.port > 0;
}
