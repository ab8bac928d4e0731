import { readFileSync } from 'node:fs';
import { BloomeryError, errorText, isBloomeryError } from '@bloomery/ports';
import {
  type LinkDocuments,
  linkSources,
  parseApiEndpoint,
  readLinkArguments,
  readLinkDocuments,
} from '@bloomery/siderolink';

/** Flags of `bloomery siderolink-client` as they were given. */
export interface ClientFlags {
  readonly config?: string;
  readonly api?: string;
  readonly cmdline?: string;
  readonly uuid?: string;
  readonly state?: string;
  readonly kernelLog?: readonly string[];
  readonly events?: string;
  readonly wireguard?: string;
  readonly ca?: string;
  readonly json?: boolean;
}

/** What the flags, the configuration and the kernel arguments come to. */
export interface ClientSettings {
  readonly api: string;
  readonly uniqueToken?: string;
  readonly kernelLogDestinations: readonly string[];
  readonly eventSink?: string;
  readonly mode: 'auto' | 'kernel' | 'userspace';
  /** Why the configuration file is not followed; then the kernel arguments name the API. */
  readonly configError?: { readonly stage: 'load' | 'validate'; readonly message: string };
}

const MODES = ['auto', 'kernel', 'userspace'] as const;
const HOST_PORT = /^(\[[0-9a-fA-F:.]+(%\w+)?\]|[^:[\]\s]+):\d{1,5}$/;
const NONE: LinkDocuments = { kernelLogDestinations: [] };

/**
 * Put the settings together: `--api`, `--events` and `--kernel-log` win over the configuration's documents, and those over the
 * kernel arguments; kernel log destinations of the documents and of the arguments add up.
 *
 * @throws BloomeryError BLM_CLI_USAGE for flags that are wrong or name no API, BLM_LINK_CONFIG_INVALID,
 * BLM_TALOS_CONFIG_INVALID and BLM_LINK_API_URL_INVALID for what they name.
 */
export function readClientSettings(flags: ClientFlags): ClientSettings {
  const mode = MODES.find((name) => name === (flags.wireguard ?? 'auto'));
  if (mode === undefined) throw usage(`--wireguard ${flags.wireguard} is none of ${MODES.join(', ')}`);
  if (flags.api !== undefined && flags.config !== undefined) throw usage('--api and --config exclude each other');
  const kernel = readLinkArguments(commandLine(flags.cmdline));
  const { documents, configError } = readDocuments(flags.config, flags.api ?? kernel.api);
  const sources = linkSources(kernel, documents);
  const api = flags.api ?? sources.api;
  if (api === undefined) {
    const where = flags.config === undefined ? 'the kernel arguments' : `${flags.config} and the kernel arguments`;
    throw usage(`no SideroLink API: no --api, and ${where} name none`);
  }
  parseApiEndpoint(api);
  const eventSink = flags.events ?? sources.eventSink;
  if (eventSink !== undefined && !HOST_PORT.test(eventSink)) {
    const message = `reading where events go, ${JSON.stringify(eventSink.slice(0, 200))}: it is not HOST:PORT`;
    throw new BloomeryError('BLM_LINK_CONFIG_INVALID', message);
  }
  return {
    api,
    mode,
    kernelLogDestinations: flags.kernelLog ?? sources.kernelLogDestinations,
    ...(eventSink === undefined ? {} : { eventSink }),
    ...(sources.uniqueToken === undefined ? {} : { uniqueToken: sources.uniqueToken }),
    ...(configError === undefined ? {} : { configError }),
  };
}

/** A broken configuration is an error of its own only where nothing else names the API: else it is reported over the link. */
function readDocuments(
  file: string | undefined,
  otherApi: string | undefined,
): { readonly documents: LinkDocuments; readonly configError?: ClientSettings['configError'] } {
  if (file === undefined) return { documents: NONE };
  const text = readFile(file, '--config');
  try {
    return { documents: readLinkDocuments(text) };
  } catch (error) {
    if (otherApi === undefined || !isBloomeryError(error)) throw error;
    const stage = error.code === 'BLM_LINK_CONFIG_INVALID' ? 'validate' : 'load';
    return { documents: NONE, configError: { stage, message: error.message } };
  }
}

function commandLine(flag: string | undefined): string {
  if (flag === undefined) {
    try {
      return readFileSync('/proc/cmdline', 'utf8');
    } catch {
      return '';
    }
  }
  return flag.startsWith('@') ? readFile(flag.slice(1), '--cmdline') : flag;
}

/** The text of a file that a flag names. @throws BloomeryError BLM_CLI_USAGE */
export function readFile(file: string, flag: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`${flag}: ${errorText(error)}`);
  }
}

function usage(message: string): BloomeryError {
  return new BloomeryError('BLM_CLI_USAGE', message, { facts: { try: 'bloomery siderolink-client --help' } });
}
