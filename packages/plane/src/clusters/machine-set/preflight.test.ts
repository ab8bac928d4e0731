import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject, MachineSet } from '@bloomery/model';
import { type ControlPlaneState, preflightWait } from './preflight.ts';

const set = (version?: string, skip = ''): MachineSet =>
  ({
    metadata: { name: 'ms', annotations: { 'machineset.cluster.x-k8s.io/skip-preflight-checks': skip } },
    spec: { template: { spec: { version } } },
  }) as unknown as MachineSet;
const plane = (wanted?: string, actual?: string): ControlPlaneState => ({
  text: 'TalosControlPlane d/cp',
  object: { metadata: { name: 'cp' }, spec: { version: wanted }, status: { version: actual } } as unknown as KubeObject,
});

describe('Machines are made', () => {
  const cases: [
    when: string,
    set: MachineSet,
    controlPlane: ControlPlaneState | undefined,
    reason: string | undefined,
  ][] = [
    ['without a control plane to ask', set('v1.32.0'), undefined, undefined],
    ['where the control plane knows no version', set('v1.32.0'), plane(), undefined],
    ['beside a control plane of the same version', set('v1.32.0'), plane('v1.32.0', 'v1.32.0'), undefined],
    ['while the control plane goes back', set('v1.31.0'), plane('v1.31.0', 'v1.32.0'), undefined],
    ['not before it is there', set(), { text: 'x', object: undefined }, 'WaitingForControlPlane'],
    ['not while it is created', set(), plane('v1.32.0'), 'WaitingForControlPlaneUpgrade'],
    ['not while it is upgraded', set(), plane('v1.32.1', 'v1.32.0'), 'WaitingForControlPlaneUpgrade'],
    ['not while it leaves a pre-release', set(), plane('v1.32.0', 'v1.32.0-rc.1'), 'WaitingForControlPlaneUpgrade'],
    ['not while it gets another build', set(), plane('v1.32.0+b', 'v1.32.0+a'), 'WaitingForControlPlaneUpgrade'],
    ['but for a skipped check', set('v1.32.0', 'X, ControlPlaneIsStable'), plane('v1.32.1', 'v1.32.0'), undefined],
    ['but for all checks skipped', set('v1.40.0', 'All'), plane('v1.32.1', 'v1.32.0'), undefined],
    ['not newer than the control plane', set('v1.33.0'), plane('v1.32.9', 'v1.32.9'), 'VersionSkew'],
    ['of a newer patch', set('v1.32.9'), plane('v1.32.0', 'v1.32.0'), undefined],
    ['three minor versions older', set('v1.29.0'), plane('v1.32.0', 'v1.32.0'), undefined],
    ['not four minor versions older', set('v1.28.0'), plane('v1.32.0', 'v1.32.0'), 'VersionSkew'],
    ['two minor versions older before 1.28', set('v1.25.0'), plane('v1.27.0', 'v1.27.0'), undefined],
    ['not three minor versions older before 1.28', set('v1.24.0'), plane('v1.27.0', 'v1.27.0'), 'VersionSkew'],
    ['without a version of their own', set(), plane('v1.32.0', 'v1.32.0'), undefined],
  ];
  for (const [when, one, controlPlane, reason] of cases) {
    it(when, () => assert.equal(preflightWait(one, controlPlane)?.reason, reason));
  }

  it('and what is waited for has a name', () => {
    assert.equal(
      preflightWait(set('v1.33.0'), plane('v1.32.0', 'v1.32.0'))?.message,
      'version v1.33.0 of the machines is newer than TalosControlPlane d/cp (v1.32.0); upgrade the control plane first',
    );
  });
});
