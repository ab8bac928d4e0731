import { X509Certificate } from 'node:crypto';
import { errorText } from '@bloomery/ports';
import type { NodeConfig } from '../config/node-config.ts';
import { asText } from '../config/plain-value.ts';

/** Authorities that the configuration adds. */
export interface TrustedRoots {
  /** PEM as written, one for each place that names any; in the order of the configuration. */
  readonly certificates: readonly string[];
  /** What was left out, and why. */
  readonly problems: readonly string[];
}

/** Where `machine.files` may append to mean the system's bundle. */
const LEGACY_PATHS: ReadonlySet<string> = new Set([
  '/etc/ssl/certs/ca-certificates',
  '/etc/ssl/certs/ca-certificates.crt',
]);
const [BEGIN, END] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];
/** Certificates of one place. */
const CERTIFICATES_MAX = 1_000;

/** What TrustedRootsConfig documents say, then what `machine.files` appends to the bundle. What is no certificate is left out. */
export function trustedRoots(config: NodeConfig | undefined): TrustedRoots {
  const documents = (config?.documents ?? [])
    .filter(({ kind }) => kind === 'TrustedRootsConfig')
    .map(({ name = '', value }) => ({ where: `TrustedRootsConfig ${name}`, text: asText(value['certificates']) }));
  const files = (config?.machine?.files ?? [])
    .filter(({ op, path }) => op === 'append' && LEGACY_PATHS.has(path))
    .map(({ path, content }) => ({ where: `machine.files ${path}`, text: content }));
  const read = [...documents, ...files].map(({ where, text }) => ({
    where,
    text: text.trim(),
    problem: problemOf(text),
  }));
  return {
    certificates: read.filter(({ problem }) => problem === undefined).map(({ text }) => text),
    problems: read.filter(({ problem }) => problem !== undefined).map(({ where, problem }) => `${where}: ${problem}`),
  };
}

function problemOf(text: string): string | undefined {
  const blocks = certificateBlocks(text);
  if (blocks.length === 0) return 'it has no PEM certificate';
  if (blocks.length > CERTIFICATES_MAX) return `it has more than ${CERTIFICATES_MAX} certificates`;
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (error) {
      return `certificate ${index + 1} cannot be read: ${errorText(error)}`;
    }
  }
  return undefined;
}

/** In time that grows with the text only, whatever it is: a regular expression would look for each end up to the end of the text. */
function certificateBlocks(text: string): readonly string[] {
  const blocks: string[] = [];
  for (let at = 0; ; ) {
    const begin = text.indexOf(BEGIN, at);
    const end = begin < 0 ? -1 : text.indexOf(END, begin);
    if (end < 0) return blocks;
    at = end + END.length;
    blocks.push(text.slice(begin, at));
  }
}

/** The bundle with what is added behind it, joined by blank lines. */
export function bundleWith(bundle: string, certificates: readonly string[]): string {
  const head = bundle === '' || bundle.endsWith('\n') ? bundle : `${bundle}\n`;
  return `${head}${head === '' ? '' : '\n'}${certificates.join('\n\n')}\n`;
}
