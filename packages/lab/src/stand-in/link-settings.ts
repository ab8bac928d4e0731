import type { LinkArguments, LinkDocuments, LinkInputs } from '@bloomery/siderolink';

/** Whom a machine joins and what it sends where. */
export interface LinkSettings {
  /** Absent: neither kernel arguments nor configuration name an API. */
  readonly inputs?: LinkInputs;
  readonly kernelLogDestinations: readonly string[];
  readonly eventSink?: string;
}

/** Who joins, with the unique token that the machine remembers. */
export type LinkIdentity = Pick<LinkInputs, 'uuid' | 'talosVersion' | 'uniqueToken'>;

/**
 * The settings of the link as Talos takes them: documents of the configuration win over kernel arguments, what the machine
 * remembers over both, and the kernel log goes to all places that either names, to each once. Pure.
 *
 * @param documents undefined while the machine has no configuration yet.
 */
export function linkSettings(
  given: LinkArguments,
  documents: LinkDocuments | undefined,
  identity: LinkIdentity,
): LinkSettings {
  const api = documents?.siderolink?.apiUrl ?? given.api;
  const eventSink = documents?.eventSink ?? given.eventSink;
  const uniqueToken = identity.uniqueToken ?? documents?.siderolink?.uniqueToken;
  const inputs = api === undefined ? undefined : { ...identity, api, ...(uniqueToken ? { uniqueToken } : {}) };
  return {
    kernelLogDestinations: [...new Set([...given.kernelLogDestinations, ...(documents?.kernelLogDestinations ?? [])])],
    ...(inputs === undefined ? {} : { inputs }),
    ...(eventSink === undefined ? {} : { eventSink }),
  };
}

/** Whether log and events go to the same places. */
export function sameDestinations(a: LinkSettings, b: LinkSettings): boolean {
  return a.eventSink === b.eventSink && a.kernelLogDestinations.join(' ') === b.kernelLogDestinations.join(' ');
}
