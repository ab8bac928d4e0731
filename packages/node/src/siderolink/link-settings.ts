import { type LinkSources, linkSources, readLinkArguments, readLinkDocuments } from '@bloomery/siderolink';
import type { NodeConfig } from '../config/node-config.ts';

/**
 * What the kernel arguments and the configuration say of the link: the documents win, kernel log destinations add up.
 *
 * @throws BloomeryError BLM_LINK_CONFIG_INVALID for a document that names no usable API.
 */
export function linkSettings(cmdline: string, config: NodeConfig | undefined): LinkSources {
  return linkSources(readLinkArguments(cmdline), config === undefined ? undefined : readLinkDocuments(config.text));
}
