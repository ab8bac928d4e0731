import { BloomeryError } from '@bloomery/ports';
import { parseMac } from '@bloomery/wire';

/** What the boot script told the agent on the kernel command line. */
export interface AgentArguments {
  /** Interface that the machine booted from: lower case with colons. */
  readonly mac: string;
  readonly endpoint: { readonly host: string; readonly port: number };
  /** Secret of this boot; absent when the plane runs open. */
  readonly token?: string;
  /** Identity that the plane uses for this machine, where its own is zero or a known duplicate. */
  readonly uuid?: string;
  /** What to do when all is done. */
  readonly finish: 'reboot' | 'poweroff';
}

/** Split a kernel command line into `key=value` pairs; of repeated keys the last counts. Double quotes keep blanks. */
export function parseCommandLine(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const word of text.slice(0, 8192).match(/(?:[^\s"]|"[^"]*")+/g) ?? []) {
    const plain = word.replaceAll('"', '');
    const equals = plain.indexOf('=');
    found.set(equals === -1 ? plain : plain.slice(0, equals), equals === -1 ? '' : plain.slice(equals + 1));
  }
  return found;
}

/**
 * Read the agent's arguments (`sidero.mac`, `sidero.endpoint`, `sidero.token`, `sidero.uuid`, `sidero.finish`).
 * @throws BloomeryError BLM_AGENT_KERNEL_ARGUMENT when mac or endpoint are missing or malformed.
 */
export function readAgentArguments(commandLine: string): AgentArguments {
  const words = parseCommandLine(commandLine);
  const mac = parseMac(words.get('sidero.mac') ?? '');
  if (mac === undefined) throw wrong('sidero.mac', words);
  const endpoint = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(words.get('sidero.endpoint') ?? '');
  const host = endpoint?.[1] ?? endpoint?.[2];
  if (host === undefined) throw wrong('sidero.endpoint', words);
  const token = words.get('sidero.token');
  const uuid = words.get('sidero.uuid');
  return {
    mac,
    endpoint: { host, port: Number(endpoint?.[3]) },
    finish: words.get('sidero.finish') === 'poweroff' ? 'poweroff' : 'reboot',
    ...(token === undefined || token === '' ? {} : { token }),
    ...(uuid === undefined || uuid === '' ? {} : { uuid: uuid.toLowerCase() }),
  };
}

function wrong(name: string, words: ReadonlyMap<string, string>): BloomeryError {
  const value = words.get(name);
  const what = value === undefined ? 'is missing' : `is "${value}"`;
  return new BloomeryError('BLM_AGENT_KERNEL_ARGUMENT', `reading the kernel command line: ${name} ${what}`);
}
