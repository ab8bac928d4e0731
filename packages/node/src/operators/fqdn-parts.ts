import type { HostName } from './operator.ts';

const LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const NAME_MAX = 253;

/**
 * Split a host name that the network or the kernel arguments give at its first dot.
 *
 * @returns undefined when it is empty, longer than 253 characters or has a label that is none (letters, digits, hyphens; 63 at most).
 */
export function fqdnParts(name: string): HostName | undefined {
  if (name.length > NAME_MAX) return undefined;
  const [hostname = '', ...domain] = name.replace(/\.$/, '').split('.');
  return [hostname, ...domain].every((label) => LABEL.test(label))
    ? { hostname, domainname: domain.join('.') }
    : undefined;
}
