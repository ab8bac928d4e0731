import { LINK_DOCUMENT_KINDS } from '../addresses/link-document.ts';
import type { NodeConfig } from '../config/node-config.ts';

/** Documents with which the configuration takes over all links. */
const TAKES_OVER: ReadonlySet<string> = new Set([...LINK_DOCUMENT_KINDS, 'DHCPv4Config', 'DHCPv6Config']);

/**
 * Whether links that nobody mentions are brought up and asked for addresses by DHCP: until a document configures a link. (Interfaces
 * of the v1alpha1 document only except themselves.)
 */
export function runsDefaultDhcp(config: Pick<NodeConfig, 'documents'> | undefined): boolean {
  return config === undefined || !config.documents.some(({ kind }) => TAKES_OVER.has(kind));
}

/** Hardware, as far as networks go: Ethernet that no driver of virtual links has made. */
export const isPhysicalLink = ({ type, kind }: { readonly type: string; readonly kind: string }): boolean =>
  type === 'ether' && kind === '';
