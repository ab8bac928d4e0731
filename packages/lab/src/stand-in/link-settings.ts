import { type LinkArguments, type LinkDocuments, type LinkInputs, linkSources } from '@bloomery/siderolink';

/** Whom a machine joins and what it sends where. */
export interface LinkSettings {
  /** Absent: neither kernel arguments nor configuration name an API. */
  readonly inputs?: LinkInputs;
  readonly kernelLogDestinations: readonly string[];
  readonly eventSink?: string;
}

/** Which machine joins, with the unique token that it remembers. */
export type JoiningMachine = Pick<LinkInputs, 'uuid' | 'talosVersion' | 'uniqueToken'>;

/**
 * The settings of the link as Talos takes them; the token that the machine remembers wins. Pure.
 *
 * @param documents undefined while the machine has no configuration yet.
 */
export function linkSettings(
  given: LinkArguments,
  documents: LinkDocuments | undefined,
  machine: JoiningMachine,
): LinkSettings {
  const { api, uniqueToken: told, ...destinations } = linkSources(given, documents);
  if (api === undefined) return destinations;
  const uniqueToken = machine.uniqueToken ?? told;
  return { ...destinations, inputs: { ...machine, api, ...(uniqueToken === undefined ? {} : { uniqueToken }) } };
}

/** Whether log and events go to the same places. */
export function sameDestinations(a: LinkSettings, b: LinkSettings): boolean {
  return a.eventSink === b.eventSink && a.kernelLogDestinations.join(' ') === b.kernelLogDestinations.join(' ');
}
