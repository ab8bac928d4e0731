import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import { ANNOTATIONS, type Condition, type Server, type ServerBinding, server, serverBinding } from '@bloomery/model';
import type { TimelineEntry } from '../timeline.ts';
import { type BoundMachine, boundMachine } from './bound-machine.ts';
import type { ExplainedObject } from './explain-input.ts';
import { explainObject } from './explain-object.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const MINUTE = 60_000;
const at = (agoMs: number): string => new Date(NOW - agoMs).toISOString();

interface Given {
  readonly link?: 'up' | 'down' | 'never';
  readonly hasAddress?: boolean;
  readonly mode?: 'tunnel';
  readonly wantsTunnel?: boolean;
  readonly power?: 'on' | 'off';
  readonly conditions?: readonly Condition[];
  readonly entries?: readonly [event: string, agoMs: number, facts?: Record<string, unknown>][];
  readonly isDeleted?: boolean;
}

const SOURCES: Readonly<Record<string, TimelineEntry['source']>> = {
  ConfigServed: 'config',
  InstallFailed: 'talos',
  ConfigRefused: 'talos',
};

function entriesOf(given: Given): TimelineEntry[] {
  return (given.entries ?? []).map(([event, agoMs, facts], i) => ({
    seq: i + 1,
    time: at(agoMs),
    source: SOURCES[event] ?? 'link',
    about: { server: 's' },
    stage: 'Link',
    severity: 'info',
    event,
    summary: `${event} happened`,
    ...(facts === undefined ? {} : { facts }),
  }));
}

function condition(type: string, reason: string, message: string, more: Partial<Condition> = {}): Condition {
  return { type, status: 'False', reason, message, lastTransitionTime: at(5 * MINUTE), ...more };
}

function machineOf(given: Given): BoundMachine {
  const binding: ServerBinding = {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: {
      name: 's',
      ...(given.mode === undefined ? {} : { annotations: { [ANNOTATIONS.siderolinkMode]: given.mode } }),
      ...(given.isDeleted === true ? { deletionTimestamp: at(0) } : {}),
    },
    spec: {
      metalMachineRef: { name: 'm', namespace: 'default' },
      ...(given.hasAddress === false ? {} : { siderolink: { address: 'fd00:0:0:3::1/64', publicKey: 'x' } }),
    },
    status: {
      ...(given.link === undefined ? {} : { link: given.link }),
      ...(given.link === 'down' ? { lastHandshake: at(10 * MINUTE) } : {}),
      conditions: given.conditions ?? [],
    },
  };
  const annotations = given.wantsTunnel === true ? { [ANNOTATIONS.siderolinkTunnel]: 'true' } : {};
  const found: Server = {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name: 's', annotations },
    status: { power: given.power ?? 'on' },
  };
  return { binding, server: found, entries: entriesOf(given) };
}

/** The object waits for its system, as it does while its machine is not heard of. */
const waiting: ExplainedObject = {
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind: 'MetalMachine',
  metadata: { name: 'm', namespace: 'default' },
  status: { conditions: [condition('Ready', 'WaitingForSystem', 'Server s is on')] },
};

const explain = (given: Given, object = waiting) =>
  explainObject({ object, upstream: [], entries: [], machine: machineOf(given), nowMs: NOW });

const never = condition('SideroLinkConnected', 'LinkNeverUp', 'not heard yet');
const silent = condition('SideroLinkConnected', 'LinkDown', 'No WireGuard handshake');
const installFailed = condition('TalosInstalled', 'TalosInstallationFailed', 'no disk\nmore', { severity: 'Error' });
const provisioned = (agoMs: number, mode: string, repeats?: number): [string, number, Record<string, unknown>] => [
  'LinkProvisioned',
  agoMs,
  { mode, ...(repeats === undefined ? {} : { repeats }) },
];

const cases: [rule: string, when: string, given: Given, cause: RegExp, firstDo: RegExp][] = [
  [
    'DuplicateIdentity',
    'two machines share its UUID',
    { link: 'up', conditions: [condition('UniqueIdentity', 'DuplicateIdentity', 'two machines take turns')] },
    /^Two machines come to the link with the UUID of ServerBinding s\.$/,
    /^bloomery timeline server\/s --source link/,
  ],
  [
    'LinkNeverUp',
    'no handshake followed the address',
    { link: 'never', conditions: [never], entries: [provisioned(5 * MINUTE, 'udp')] },
    /^Server s got its link address, but no WireGuard handshake arrives: UDP 51821/,
    /^kubectl annotate server s bloomery.dev\/siderolink-tunnel=true/,
  ],
  [
    'LinkNeverUp',
    'the tunnel is wanted but not used yet',
    { link: 'never', conditions: [never], wantsTunnel: true },
    /UDP 51821/,
    /restart the machine/,
  ],
  [
    'LinkNeverUp',
    'nothing comes through the tunnel',
    { link: 'never', mode: 'tunnel', conditions: [never] },
    /nothing comes through its gRPC tunnel/,
    /bloomery siderolink status/,
  ],
  [
    'LinkNeverUp',
    'it never asked after it booted',
    { hasAddress: false, entries: [['ConfigServed', 4 * MINUTE]] },
    /never asked for its link address/,
    /bloomery siderolink status/,
  ],
  [
    'LinkNeverUp',
    'there is no device of ours that it could reach',
    { entries: [provisioned(3 * MINUTE, 'udp')] },
    /Bloomery's own end of the link has not been up since/,
    /^bloomery siderolink$/,
  ],
  [
    'LinkRefused',
    'its token is not good',
    {
      hasAddress: false,
      entries: [
        ['ConfigServed', 4 * MINUTE],
        ['LinkRefused', MINUTE],
      ],
    },
    /may not join the link: LinkRefused happened/,
    /bloomery token list/,
  ],
  [
    'TunnelModeLost',
    'it tunnelled before and asks for UDP now',
    {
      link: 'down',
      conditions: [silent],
      entries: [provisioned(60 * MINUTE, 'tunnel'), provisioned(9 * MINUTE, 'udp')],
    },
    /came through the gRPC tunnel before/,
    /siderolink-tunnel=true/,
  ],
  ['LinkStale', 'it fell silent', { link: 'down', conditions: [silent] }, /silent on the link/, /power status s/],
  ['LinkStale', 'it is off', { link: 'down', power: 'off', conditions: [silent] }, /is off/, /power on s/],
  [
    'ReconnectStorm',
    'it asks for its address all the time',
    { link: 'up', entries: [provisioned(25 * MINUTE, 'udp'), provisioned(12 * MINUTE, 'udp', 14)] },
    /asked for its link address 16 times and fell silent 0 times/,
    /--since 1h/,
  ],
  [
    'ReconnectStorm',
    'it flaps',
    { link: 'up', entries: [25, 15, 5].map((n): [string, number] => ['LinkDown', n * MINUTE]) },
    /fell silent 3 times/,
    /--since 1h/,
  ],
  [
    'ConfigInvalid',
    'its configuration cannot be loaded',
    {
      link: 'up',
      conditions: [condition('TalosConfigLoaded', 'TalosConfigLoadFailed', 'yaml: line 2\nsecret: x')],
      entries: [
        ['ConfigServed', 6 * MINUTE],
        ['ConfigRefused', 5 * MINUTE],
      ],
    },
    /^Server s cannot load its machine configuration: yaml: line 2$/,
    /spec.configPatches/,
  ],
  [
    'ConfigInvalid',
    'its configuration is not valid, though its link is silent by now',
    { link: 'down', conditions: [silent, condition('TalosConfigValidated', 'TalosConfigValidationFailed', '')] },
    /^Server s refuses its machine configuration: it gave no reason$/,
    /spec.configPatches/,
  ],
  [
    'InstallationFailed',
    'it could not install',
    { link: 'up', conditions: [installFailed], entries: [['InstallFailed', MINUTE]] },
    /^Server s could not install its operating system: no disk$/,
    /bloomery logs s/,
  ],
];

describe('explaining an allocated machine', () => {
  for (const [rule, when, given, cause, firstDo] of cases) {
    it(`says ${rule} first when ${when}, with evidence, since and what to do`, () => {
      const [first, ...others] = explain(given);
      assert.equal(first?.rule, rule);
      assert.match(first.cause, cause);
      assert.match(first.do[0] ?? '', firstDo);
      assert.ok(first.since !== undefined && first.next.length > 10);
      assert.ok(first.evidence.length > 0 && first.evidence.length <= 5);
      assert.equal(first.more, `reference/explain-rules#${rule.toLowerCase()}`);
      assert.ok(others.some((finding) => finding.rule === 'WaitingForSystem'));
      assert.ok(!('hides' in first));
    });
  }

  it('gives one line of what a machine said', () => {
    const [first] = explain({ conditions: [installFailed] });
    assert.deepEqual(
      first?.evidence.map(({ text }) => text),
      ['no disk'],
    );
  });

  it('does not repeat what conditions and waits say of the same', () => {
    const object = { ...waiting, status: { conditions: [condition('Ready', 'ConfigRefused', 'x'), never] } };
    const given = {
      link: 'never',
      conditions: [never, condition('TalosConfigLoaded', 'TalosConfigLoadFailed', 'y')],
    } as const;
    assert.deepEqual(
      explain(given, object).map(({ rule }) => rule),
      ['LinkNeverUp', 'ConfigInvalid'],
    );
  });

  const quiet: [name: string, given: Given][] = [
    ['is linked', { link: 'up', entries: [provisioned(MINUTE, 'udp')] }],
    ['was provisioned a moment ago', { entries: [provisioned(MINUTE, 'udp')] }],
    ['fetched its configuration a moment ago', { hasAddress: false, entries: [['ConfigServed', MINUTE]] }],
    ['came back over UDP', { link: 'up', entries: [provisioned(9 * MINUTE, 'tunnel'), provisioned(MINUTE, 'udp')] }],
    [
      'was refused before it was let in',
      { link: 'up', entries: [['LinkRefused', 9 * MINUTE], provisioned(MINUTE, 'udp')] },
    ],
    ['asked often, long ago', { link: 'up', entries: [provisioned(31 * MINUTE, 'udp', 100)] }],
    ['installs', { link: 'up', conditions: [condition('TalosInstalled', 'TalosInstallationInProgress', '')] }],
    ['is being released', { link: 'down', conditions: [silent, installFailed], isDeleted: true }],
  ];
  for (const [name, given] of quiet) {
    it(`has no rule for a machine that ${name}`, () =>
      assert.deepEqual(
        explain(given).map(({ rule }) => rule),
        ['WaitingForSystem'],
      ));
  }

  it('finds the machine behind an object', () => {
    const cache = createObjectCache();
    const { binding, server: found } = machineOf({});
    cache.put(serverBinding, binding);
    assert.ok(found);
    cache.put(server, found);
    const of = (object: ExplainedObject, upstream: readonly ExplainedObject[] = []) =>
      boundMachine(object, upstream, cache, () => [])?.binding.metadata.name;
    const kind = (name: string): ExplainedObject => ({ ...waiting, kind: name });
    assert.deepEqual(
      [of(found), of(binding), of(waiting, [found]), of(kind('Machine'), [waiting, found])],
      ['s', 's', 's', 's'],
    );
    const other = { ...found, metadata: { name: 'free' } };
    assert.deepEqual([of(other), of(waiting), of(kind('Cluster'), [found])], [undefined, undefined, undefined]);
  });
});
