import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATIONS, FINALIZERS, type Server, type ServerBinding } from '@bloomery/model';
import { judgeWipe } from '../wipe-guard.ts';
import { planServer, type ServerInput } from './plan.ts';

const NOW = Date.parse('2026-01-01T10:00:00Z');
const MINUTE = 60_000;
const copied = { name: 's', finalizers: [FINALIZERS.server] };
const binding: ServerBinding = {
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind: 'ServerBinding',
  metadata: { name: 's', uid: 'b' },
  spec: { metalMachineRef: { name: 'm', namespace: 'n' } },
};

function input(server: Partial<Server>, rest: Partial<ServerInput> = {}): ServerInput {
  return {
    server: {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata: copied,
      spec: { accepted: true },
      ...server,
    },
    binding: undefined,
    power: 'on',
    fake: false,
    budget: true,
    awaited: false,
    rebootTimeoutMs: 20 * MINUTE,
    nowMs: NOW,
    ...rest,
  };
}
const waits = (given: ServerInput): string => {
  const { wait, action, status } = planServer(given);
  return `${wait?.reason} ${action} ${JSON.stringify(status['arrivedAt'])}`;
};
const since = (ms: number): NonNullable<Server['status']> => ({
  phase: 'Parked',
  arrivedAt: new Date(NOW - ms).toISOString(),
});

describe('a Server that was copied here from another plane (sidero issue 977)', () => {
  const cases: [name: string, given: ServerInput, want: string][] = [
    ['is not wiped while its ServerBinding may be on its way', input({}), 'Arriving none "2026-01-01T10:00:00Z"'],
    ['is waited for two minutes', input({ status: since(2 * MINUTE - 1) }), 'Arriving none undefined'],
    ['is then as any other', input({ status: since(2 * MINUTE) }), 'WaitingForAgent bootAgent null'],
    [
      'is waited for while a Cluster is paused or a MetalMachine names it',
      input({ status: since(60 * MINUTE) }, { awaited: true }),
      'Arriving none undefined',
    ],
    ['is in use once it is bound', input({ status: since(MINUTE) }, { binding }), 'WaitingForSystem none null'],
    [
      'waits for a person when it was bound there and its ServerBinding does not come',
      input({ metadata: { ...copied, annotations: { [ANNOTATIONS.boundTo]: 'x' } }, status: since(2 * MINUTE) }),
      'BindingVanished none null',
    ],
    ['is none when it registered here', input({ metadata: { name: 's' } }), 'WaitingForAgent bootAgent undefined'],
    [
      'is none when it has lived here before',
      input({ status: { phase: 'Accepted' } }),
      'WaitingForAgent bootAgent undefined',
    ],
  ];
  for (const [name, given, want] of cases) it(name, () => assert.equal(waits(given), want));

  it('is not wiped by its agent either', () => {
    const { server } = input({ status: since(0) });
    const verdict = judgeWipe(server, undefined);
    assert.equal(verdict.ok ? '' : verdict.reason, 'Arriving');
  });
});
