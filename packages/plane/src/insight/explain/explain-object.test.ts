import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWaitReason, WAIT_REASONS } from '@bloomery/model';
import type { TimelineEntry } from '../timeline.ts';
import { bootVerdict } from './boot-verdict.ts';
import type { ExplainedCondition, ExplainedObject } from './explain-input.ts';
import { explainObject } from './explain-object.ts';
import { WAIT_RULES } from './wait-rules.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const SINCE = '2026-01-01T11:00:00Z';

function objectOf(kind: string, conditions: readonly ExplainedCondition[], namespace?: string): ExplainedObject {
  const metadata = { name: `${kind.toLowerCase()}-0`, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: 'x/v1', kind, metadata, status: { conditions } };
}

function waiting(reason: string, message = ''): ExplainedCondition {
  return { type: 'Ready', status: 'False', reason, message, lastTransitionTime: SINCE };
}

function entry(stage: string, agoMs: number, more: Partial<TimelineEntry> = {}): TimelineEntry {
  return {
    seq: 1,
    time: new Date(NOW - agoMs).toISOString(),
    source: 'boot',
    about: {},
    stage,
    severity: 'info',
    event: stage,
    summary: `${stage} happened`,
    ...more,
  };
}

describe('explain', () => {
  for (const reason of Object.keys(WAIT_REASONS).filter(isWaitReason)) {
    it(`knows what to do about ${reason}`, () => {
      const [finding] = explainObject({
        object: objectOf('Server', [waiting(reason)]),
        upstream: [],
        entries: [],
        nowMs: NOW,
      });
      assert.equal(finding?.rule, reason);
      assert.ok(finding.cause.length > 10 && finding.next.length > 10 && finding.do.length > 0);
    });
  }

  it('has nothing to say about an object that is where it should be', () => {
    const object = objectOf('Server', [{ type: 'Ready', status: 'True' }]);
    assert.deepEqual(explainObject({ object, upstream: [], entries: [], nowMs: NOW }), []);
  });

  it('says once what several conditions say word by word, and shows one line of each mark', () => {
    const message =
      'reading spec.data: machine.tokne: unknown key; unknown keys found during decoding:\nmachine:\n    tokne: 5';
    const object = objectOf('TalosConfig', [
      { type: 'DataSecretAvailable', status: 'False', reason: 'InternalError', message },
      waiting('BootstrapConfigRefused', message),
    ]);
    const entries = [entry('Bootstrap', 1000, { source: 'capi', summary: `TalosConfig/x: ${message}` })];
    const findings = explainObject({ object, upstream: [], entries, nowMs: NOW });
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['BootstrapConfigRefused'],
    );
    assert.deepEqual(
      findings[0]?.evidence.map(({ text }) => text.includes('\n')),
      [false, false],
    );
  });

  it('gives cause, since, evidence, next and what to do', () => {
    const object = objectOf('Server', [waiting('WaitingForAccept', 'registered 3 h ago')]);
    const entries = [entry('Registered', 1000, { source: 'agent' })];
    assert.deepEqual(explainObject({ object, upstream: [], entries, nowMs: NOW }), [
      {
        rule: 'WaitingForAccept',
        severity: 'info',
        cause: `Server server-0: ${WAIT_REASONS.WaitingForAccept.doc}`,
        since: SINCE,
        evidence: [
          { time: SINCE, source: 'condition Ready', text: 'registered 3 h ago' },
          { time: entries[0]?.time, source: 'agent', text: 'Registered happened' },
        ],
        next: WAIT_RULES.WaitingForAccept.next,
        do: ['bloomery accept server-0', 'bloomery serve --auto-accept-servers'],
        more: 'reference/wait-reasons#WaitingForAccept',
      },
    ]);
  });

  it('names the deepest object that waits first', () => {
    const object = objectOf('MetalMachine', [waiting('WaitingForSystem')], 'default');
    const upstream = [objectOf('Server', [waiting('WaitingForPowerOn')])];
    const rules = explainObject({ object, upstream, entries: [], nowMs: NOW }).map((finding) => finding.rule);
    assert.deepEqual(rules, ['WaitingForPowerOn', 'WaitingForSystem']);
  });

  it('puts a boot that went silent before the wait for it', () => {
    const object = objectOf('Server', [waiting('WaitingForAgent')]);
    const entries = [entry('Discover', 21_000), entry('Offered', 20_000)];
    const findings = explainObject({ object, upstream: [], entries, nowMs: NOW });
    assert.deepEqual(
      findings.map((finding) => finding.rule),
      ['ProxyIgnored', 'WaitingForAgent'],
    );
    assert.deepEqual(findings[0]?.evidence[0]?.text, 'Offered happened');
  });

  it('finds the rule of a wait that only the column states, with the failing conditions as evidence', () => {
    const failed = { type: 'Ready', status: 'False', reason: 'DownloadFailed', message: 'HTTP 404' } as const;
    const { status, ...head } = objectOf('Environment', [failed]);
    const object = { ...head, status: { ...status, waitingFor: WAIT_REASONS.EnvironmentBroken.short } };
    const findings = explainObject({ object, upstream: [], entries: [], nowMs: NOW });
    assert.deepEqual(
      findings.map((finding) => [finding.rule, finding.evidence[0]?.text]),
      [
        ['EnvironmentBroken', 'HTTP 404'],
        ['DownloadFailed', 'HTTP 404'],
      ],
    );
  });

  it('of conditions that are named after a fault, only the true ones are one', () => {
    const condition = (type: string, status: 'True' | 'False', message: string): ExplainedCondition =>
      ({ type, status, reason: 'R', message, lastTransitionTime: SINCE }) as ExplainedCondition;
    const object = objectOf('Namespace', [
      condition('NamespaceDeletionDiscoveryFailure', 'False', 'all discovered'),
      condition('NamespaceContentRemaining', 'True', 'configmaps. has 1 resource instances'),
      condition('NamespaceFinalizersRemaining', 'True', 'example.com/hold in 1 resource instances'),
    ]);
    const causes = explainObject({ object, upstream: [], entries: [], nowMs: NOW }).map(({ cause }) => cause);
    assert.deepEqual(causes, [
      'Namespace namespace-0: configmaps. has 1 resource instances',
      'Namespace namespace-0: example.com/hold in 1 resource instances',
    ]);
  });

  it('quotes failures that it has no rule for', () => {
    const condition = { type: 'TalosInstalled', status: 'False', reason: 'Odd', message: 'no disk', severity: 'Error' };
    const object = objectOf('Server', [condition as ExplainedCondition]);
    const [finding] = explainObject({ object, upstream: [], entries: [], nowMs: NOW });
    assert.equal(finding?.cause, 'Server server-0: no disk');
    assert.equal(finding?.severity, 'error');
  });
});

describe('the verdict about a boot', () => {
  const cases: [name: string, entries: TimelineEntry[], want: string | undefined][] = [
    ['nothing was seen', [], undefined],
    ['there is still time', [entry('Kernel', 10_000)], undefined],
    ['an offer nobody followed', [entry('Offered', 20_000)], 'ProxyIgnored'],
    ['a loader without a script', [entry('Tftp', 61_000)], 'ScriptUnreachable'],
    ['a kernel that never spoke', [entry('Initrd', 181_000)], 'AgentSilent'],
    ['a registered machine', [entry('Registered', 600_000, { source: 'agent' })], undefined],
    [
      'a system that reported afterwards',
      [entry('Initrd', 200_000), entry('Config', 190_000, { source: 'config', seq: 2 })],
      undefined,
    ],
    ['the same stage three times', [900_000, 600_000, 200_000].map((ms) => entry('Initrd', ms)), 'BootLoop'],
  ];
  for (const [name, entries, want] of cases) {
    it(`${want ?? 'is none'}: ${name}`, () => assert.equal(bootVerdict(entries, NOW)?.rule, want));
  }
});
