/**
 * Works on the recordings of the conformance suite.
 * usage: main.ts real                       start the real API and stay (Ctrl-C ends it)
 *        main.ts record [AREA[:WORDS]...]   write what kube-apiserver answers, and what ours does where a case differs
 *        main.ts compare [AREA[:WORDS]...]  show where our answers differ from the recordings
 *        main.ts verify [AREA[:WORDS]...]   the same for kube-apiserver: what differs there is no sound recording
 *        main.ts differences                write the table of docs/reference/kube-api-differences.md
 * Record and verify use the API that `real` started, where there is one.
 */
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, isDeepStrictEqual } from 'node:util';
import { loadCertificateAuthority } from '@bloomery/talos';
import { identityOf } from '../client-identity.ts';
import { closeConnections } from './api-client.ts';
import type { Area, Case } from './area.ts';
import { AREAS } from './areas.ts';
import { startBloomery } from './bloomery-target.ts';
import { differencesTable, withDifferences } from './differences.ts';
import { startKubeApiserver } from './kube-apiserver.ts';
import { type CaseRecording, plain, readRecording, writeRecording } from './recording.ts';
import { runCase } from './run-case.ts';
import { prepareShared } from './shared-kinds.ts';
import type { Target } from './target.ts';

const RUNNING = join(tmpdir(), 'bloomery-conformance-real.json');

async function stay(): Promise<void> {
  await using target = await startKubeApiserver();
  const { log: _log, issue: _issue, ...data } = target;
  await prepareShared(target);
  writeFileSync(RUNNING, JSON.stringify(data), { mode: 0o600 });
  console.log(`${target.url} KUBECONFIG=${target.kubeconfig}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  rmSync(RUNNING, { force: true });
}

async function real(): Promise<Target> {
  if (!existsSync(RUNNING)) {
    const started = await startKubeApiserver();
    await prepareShared(started);
    return started;
  }
  const data = JSON.parse(readFileSync(RUNNING, 'utf8'));
  const authority = loadCertificateAuthority(data.caPem, data.caKeyPem);
  return {
    ...data,
    log: () => '',
    issue: (commonName: string, organizations: readonly string[] = []) =>
      identityOf(authority, commonName, { organizations }),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function ours(): Promise<Target> {
  const target = await startBloomery();
  await prepareShared(target);
  return target;
}

/** Areas named on the command line with the cases that are wanted of them. */
function chosen(
  names: readonly string[],
): readonly { readonly area: Area; readonly cases: readonly [string, Case][] }[] {
  const wanted = names.map((name) => name.split(':'));
  return AREAS.flatMap((area) => {
    const picks = wanted.filter(([name]) => name === area.name);
    if (names.length > 0 && picks.length === 0) return [];
    const cases = Object.entries(area.cases).filter(
      ([title]) => picks.length === 0 || picks.some(([, words = '']) => title.includes(words)),
    );
    return [{ area, cases }];
  });
}

async function inParallel<T>(jobs: readonly (() => Promise<T>)[], width: number): Promise<void> {
  const queue = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function record(names: readonly string[]): Promise<void> {
  await using theirs = await real();
  const areas = chosen(names);
  const needsOurs = areas.some(({ cases }) => cases.some(([, c]) => c.differs !== undefined));
  await using own = needsOurs ? await ours() : undefined;
  for (const { area, cases } of areas) {
    const made = new Map<string, CaseRecording>(Object.entries(readRecording(area.name)));
    const jobs = cases.map(([title, c]) => async () => {
      try {
        const steps = await runCase(theirs, c);
        made.set(title, {
          steps,
          ...(c.differs === undefined || own === undefined ? {} : { ours: await runCase(own, c) }),
        });
      } catch (error) {
        console.error(`NOT RECORDED ${area.name}: ${title}`, error);
      }
    });
    await inParallel(jobs, area.concurrency ?? 4);
    const inOrder = Object.keys(area.cases).flatMap((title) => {
      const found = made.get(title);
      return found === undefined ? [] : [[title, found] as const];
    });
    writeRecording(area.name, Object.fromEntries(inOrder));
    console.log(`${area.name}: ${cases.length} recorded`);
  }
}

async function compare(names: readonly string[], own: Target): Promise<void> {
  let failed = 0;
  for (const { area, cases } of chosen(names)) {
    const recording = readRecording(area.name);
    const jobs = cases.map(([title, c]) => async () => {
      const recorded = recording[title];
      const wanted = (own.name === 'bloomery' ? recorded?.ours : undefined) ?? recorded?.steps ?? [];
      try {
        const steps = await runCase(own, c);
        if (isDeepStrictEqual(plain(steps), plain(wanted))) return;
        failed++;
        console.log(`\nDIFFERS ${area.name}: ${title}`);
        showDifference(plain(steps), plain(wanted), '');
      } catch (error) {
        failed++;
        console.log(`\nFAILED ${area.name}: ${title}`, error);
      }
    });
    await inParallel(jobs, area.concurrency ?? 4);
  }
  console.log(`\n${failed} differ`);
}

function writeDifferences(): void {
  const page = join(import.meta.dirname, '../../../../../docs/reference/kube-api-differences.md');
  const text = withDifferences(readFileSync(page, 'utf8'), differencesTable(AREAS));
  if (text === undefined) throw new Error(`${page} has no place for the table`);
  writeFileSync(page, text);
}

/** Print the places where two JSON values differ: ours, then theirs. */
function showDifference(actual: unknown, wanted: unknown, path: string): void {
  if (isDeepStrictEqual(actual, wanted)) return;
  const isOneStep =
    isMembered(actual) && isMembered(wanted) && Reflect.get(actual, 'code') !== Reflect.get(wanted, 'code');
  const isDeep = isMembered(actual) && isMembered(wanted) && Array.isArray(actual) === Array.isArray(wanted);
  if (isDeep && !isOneStep) {
    for (const key of new Set([...Object.keys(actual), ...Object.keys(wanted)])) {
      const call = Reflect.get(wanted, 'call') ?? Reflect.get(wanted, 'kubectl') ?? Reflect.get(wanted, 'watch');
      const label = typeof call === 'string' && path.split('/').length < 3 ? ` (${call})` : '';
      showDifference(Reflect.get(actual, key), Reflect.get(wanted, key), `${path}/${key}${label}`);
    }
    return;
  }
  console.log(`  ${path}\n    ours   ${line(actual)}\n    theirs ${line(wanted)}`);
}

const isMembered = (value: unknown): value is object => typeof value === 'object' && value !== null;
const line = (value: unknown): string =>
  (value === undefined ? 'nothing' : typeof value === 'string' ? inspect(value) : JSON.stringify(value)).slice(0, 1500);

const [what, ...names] = process.argv.slice(2);
if (what === 'real') await stay();
else if (what === 'record') await record(names);
else if (what === 'differences') writeDifferences();
else if (what === 'compare' || what === 'verify') {
  await using target = what === 'verify' ? await real() : await ours();
  await compare(names, target);
} else console.error('usage: main.ts real|record|compare|verify|differences [AREA[:WORDS]...]');
closeConnections();
