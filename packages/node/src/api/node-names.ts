import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { ReconcileContext, State } from '@bloomery/cosi';
import { AddressStatus, NodeAddress } from '../resources/addresses.ts';
import { HostnameStatus } from '../resources/names.ts';

/** By what names and addresses the node is known. */
export interface NodeNames {
  /** Without its domain; empty when it has none. */
  readonly hostname: string;
  /** Host names, the longest last. */
  readonly hostnames: readonly string[];
  /** Addresses in their canonical form, in the order of their ids, at most MAX_ADDRESSES. */
  readonly addresses: readonly string[];
}

const MAX_ADDRESSES = 200;
/** Addresses of this host that are never those of a listener that others dial. */
const NOT_DIALLED = /^(127\.|169\.254\.|::1$|fe80:|fd54:616c:6f73:)/;

/** The names of the node from its resources; where no controller says the host name, from the kernel. */
export function nodeNames(state: Pick<State | ReconcileContext, 'get' | 'list'>, root: string): NodeNames {
  const status = state.get(HostnameStatus, 'hostname')?.spec;
  const hostname = status?.hostname ?? kernelHostname(root);
  const domain = status?.domainname ?? '';
  const found = [
    ...state.list(NodeAddress).flatMap(({ spec }) => spec.addresses),
    ...state.list(AddressStatus).map(({ spec }) => spec.address),
  ].map((prefix) => canonicalAddress(prefix.replace(/\/\d+$/, '')));
  return {
    hostname,
    hostnames: hostname === '' ? [] : domain === '' ? [hostname] : [hostname, `${hostname}.${domain}`],
    addresses: [...new Set(found)].filter((address) => !NOT_DIALLED.test(address)).slice(0, MAX_ADDRESSES),
  };
}

/** Whether a caller means this node. `listener` is the address that the API is bound to. */
export function isThisNode(target: string, names: NodeNames, listener: string): boolean {
  const host = withoutPort(target.trim()).toLowerCase();
  if (host === 'localhost' || names.hostnames.some((name) => name.toLowerCase() === host)) return true;
  if (isIP(host) === 0) return false;
  const address = canonicalAddress(host);
  return address.startsWith('127.') || address === '::1' || address === listener || names.addresses.includes(address);
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`, v6 */
function withoutPort(target: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(target)?.[1];
  if (bracketed !== undefined) return bracketed;
  return target.indexOf(':') === target.lastIndexOf(':') ? target.replace(/:\d{1,5}$/, '') : target;
}

/** The one text of an address: IPv6 as RFC 5952 writes it. What is no address stays. */
export function canonicalAddress(address: string): string {
  const bare = address.replace(/%.*$/, '');
  return isIP(bare) === 6 ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
}

function kernelHostname(root: string): string {
  try {
    return readFileSync(join(root, 'proc/sys/kernel/hostname'), 'utf8').trim();
  } catch {
    // A test's root without /proc: the node has no name then.
    return '';
  }
}
