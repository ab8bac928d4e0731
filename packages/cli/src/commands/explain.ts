import { type Explanation, explanation, type Finding } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { usageError } from '../exit-code.ts';
import { ageText } from '../output/age.ts';
import { dataText, type FormatOptions, formatOf } from '../output/format.ts';
import type { Session } from '../session.ts';
import { findArgument, readExplanation } from './insight.ts';

/** Options of `bloomery explain`. */
export interface ExplainOptions extends FormatOptions {
  readonly all?: boolean;
}

/** `bloomery explain KIND/NAME | --all`: why an object is not where it should be. */
export async function explain(session: Session, words: readonly string[], options: ExplainOptions): Promise<void> {
  const format = formatOf(options);
  const { stdout } = session.deps;
  if (options.all !== true && words.length === 0) {
    throw usageError('explain wants an object or --all', 'bloomery explain --all');
  }
  const found = options.all === true ? await explainAll(session) : [await explainOne(session, words)];
  if (format === 'json' || format === 'yaml') {
    const [only] = found;
    const list = { apiVersion: 'cli.bloomery.dev/v1', kind: 'ExplanationList', items: found };
    const value = options.all === true || only === undefined ? list : only;
    stdout.write(await dataText(value, format));
    return;
  }
  const nowMs = session.deps.clock.nowMs();
  if (found.length === 0) stdout.write('Nothing to explain: every object is where it should be.\n');
  stdout.write(found.map((item) => explanationText(item, nowMs)).join('\n'));
}

/** An explanation for people. Healthy objects take one line. */
export function explanationText({ about, findings = [] }: Explanation, nowMs: number): string {
  const name = `${about?.kind ?? ''} ${about?.namespace === undefined ? '' : `${about.namespace}/`}${about?.name ?? ''}`;
  const [root, ...others] = findings;
  if (root === undefined) return `${name}: nothing to explain, it is where it should be.\n`;
  const also = others.map((finding) => `  also      ${finding.cause} (${finding.rule})\n`).join('');
  return `${name}\n${findingText(root, nowMs)}${also}`;
}

function findingText(finding: Finding, nowMs: number): string {
  const { rule, cause, since, evidence, next, more } = finding;
  const lines = [
    `  cause     ${cause} (${rule})`,
    `  since     ${since === undefined ? 'unknown' : `${ageText(since, nowMs)} (${since})`}`,
    ...evidence.map((e, i) => `  ${i === 0 ? 'evidence' : '        '}  ${e.time ?? '-'}  ${e.source}  ${e.text}`),
    `  next      ${next}`,
    ...finding.do.map((command, i) => `  ${i === 0 ? 'do' : '  '}        ${command}`),
    `  more      ${more}`,
  ];
  return `${lines.join('\n')}\n`;
}

async function explainOne(session: Session, words: readonly string[]): Promise<Explanation> {
  const found = await findArgument(session, words);
  const answer = await readExplanation(session, found);
  if (answer !== undefined) return answer;
  const { explainLocally } = await import('./explain-locally.ts');
  return explainLocally(session, found);
}

async function explainAll(session: Session): Promise<readonly Explanation[]> {
  try {
    const { items } = await session.client.list(explanation);
    return items.filter((item) => item.healthy !== true);
  } catch (cause) {
    if (!(cause instanceof BloomeryError) || cause.code !== 'BLM_API_NOT_FOUND') throw cause;
    throw new BloomeryError('BLM_CLI_REFUSED', 'this manager explains single objects only', {
      facts: { try: 'bloomery explain KIND/NAME' },
      cause,
    });
  }
}
