import type { LinkArguments } from './link-arguments.ts';
import type { LinkDocuments } from './link-document.ts';

/** What a machine is told about the link, from all that may tell it. */
export interface LinkSources {
  /** Absent: nobody names an API, and there is no link. */
  readonly api?: string;
  /** Absent: none is given. */
  readonly uniqueToken?: string;
  readonly eventSink?: string;
  readonly kernelLogDestinations: readonly string[];
}

/**
 * Kernel arguments and configuration as Talos takes them: documents win, and the kernel log goes to all places that either names,
 * to each once.
 *
 * @param documents undefined: there is no configuration (yet).
 */
export function linkSources(given: LinkArguments, documents: LinkDocuments | undefined): LinkSources {
  const api = documents?.siderolink?.apiUrl ?? given.api;
  const uniqueToken = documents?.siderolink?.uniqueToken ?? '';
  const eventSink = documents?.eventSink ?? given.eventSink;
  return {
    kernelLogDestinations: [...new Set([...given.kernelLogDestinations, ...(documents?.kernelLogDestinations ?? [])])],
    ...(api === undefined ? {} : { api }),
    ...(uniqueToken === '' ? {} : { uniqueToken }),
    ...(eventSink === undefined ? {} : { eventSink }),
  };
}
