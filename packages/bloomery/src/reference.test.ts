import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WAIT_REASONS } from '@bloomery/model';

const ROOT = join(import.meta.dirname, '../../..');

describe('generated reference pages', () => {
  it('are what the code says', () => {
    const script = join(ROOT, 'scripts/generate-reference.ts');
    const { status, stderr } = spawnSync(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      script,
      '--check',
    ]);
    assert.equal(status, 0, stderr.toString());
  });
});

/** Text from an opening parenthesis to the one that closes it. */
function parenthesised(text: string, open: number): string {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '(') depth += 1;
    else if (text[i] === ')' && --depth === 0) return text.slice(open, i + 1);
  }
  return text.slice(open);
}

/** Where the reason of an Event is not written at the call: the file says elsewhere which ones there are. */
const INDIRECT: readonly string[] = [
  'allocation/metal-machine/reconcile.ts',
  'allocation/server-binding/reconcile.ts',
  'boot/environments/reconcile.ts',
  'clusters/cluster/reconcile.ts',
  'clusters/cluster/remove.ts',
  'clusters/contract/report-failure.ts',
  'clusters/control-plane/act-on-machine.ts',
  'clusters/control-plane/act.ts',
  'clusters/control-plane/reconcile.ts',
  'clusters/control-plane/say-change.ts',
  'clusters/machine-deployment/reconcile.ts',
  'clusters/machine-health-check/reconcile.ts',
  'clusters/machine-set/reconcile.ts',
  'clusters/machine/reconcile.ts',
  'clusters/machine/remove.ts',
  'clusters/metal-cluster/reconcile.ts',
  'clusters/talos-config/reconcile-talos-config.ts',
  'clusters/talos-config/report-failure.ts',
  'insight/mark-events.ts',
  'inventory/server/power-actions.ts',
  'inventory/server/reconcile.ts',
  'link/bound-objects.ts',
  'link/events/event-sink.ts',
  'link/peers/report-link-states.ts',
];

/** The reasons of the page's table. */
function listedReasons(): readonly string[] {
  const page = readFileSync(join(ROOT, 'docs/reference/events.md'), 'utf8');
  return [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason = '']) => reason);
}

describe('reasons of Events', () => {
  const plane = join(ROOT, 'packages/plane/src');
  const sources = globSync('**/*.ts', { cwd: plane })
    .filter((file) => !/\.test\.ts$|testing\//.test(file))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(plane, file), 'utf8') }));
  const calls = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/(?<!function )(?:events\??\.record|recordAboutMachine|recordPowerEvent|waitEvent)\(/g)].map(
      ({ index, 0: name }) => ({
        file,
        literals: [...parenthesised(text, index + name.length - 1).matchAll(/'([A-Z][A-Za-z]+)'/g)]
          .map(([, literal = '']) => literal)
          .filter((literal) => literal !== 'Normal' && literal !== 'Warning'),
      }),
    ),
  );

  it('that the code records are on the page', () => {
    const known = new Set([...listedReasons(), ...Object.keys(WAIT_REASONS)]);
    const missing = calls.flatMap(({ file, literals }) =>
      literals.filter((r) => !known.has(r)).map((r) => `${r} ${file}`),
    );
    assert.deepEqual(missing, [], 'add them to scripts/reference/event-reasons.ts, then: npm run docs');
  });
  it('that the page lists are recorded somewhere', () => {
    const all = sources.map(({ text }) => text).join('\n');
    const lost = listedReasons().filter((reason) => !all.includes(`'${reason}'`));
    assert.deepEqual(lost, []);
  });
  it('that are not written at the call are in the files that were looked through', () => {
    const found = new Set(calls.filter(({ literals }) => literals.length === 0).map(({ file }) => file));
    assert.deepEqual(
      [...found].filter((file) => !INDIRECT.includes(file)),
      [],
      'list its reasons in event-reasons.ts, then the file here',
    );
  });
});
