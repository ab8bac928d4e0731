import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ANNOTATIONS } from '@bloomery/model';
import { linkTable } from './link-table.ts';

it('the table of links shows what is known of each machine, and dashes for the rest', () => {
  const isTrue = (type: string) => ({ type, status: 'True' as const, lastTransitionTime: '' });
  const nothing = {
    server: undefined,
    binding: undefined,
    metalMachine: undefined,
    machine: undefined,
    console: '',
    kernelLog: [],
  };
  const binding = {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: { name: 'u', annotations: { [ANNOTATIONS.siderolinkMode]: 'tunnel' } },
    spec: { metalMachineRef: {}, siderolink: { address: 'fd00::5/64', publicKey: 'k' } },
    status: { conditions: [isTrue('SideroLinkConnected')] },
  };
  const metalMachine = {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'MetalMachine',
    metadata: { name: 'forge-1' },
    status: { conditions: [isTrue('TalosInstalled')] },
  };
  assert.deepEqual(
    linkTable([
      { name: 'm1', sight: nothing },
      { name: 'm2', sight: { ...nothing, binding, metalMachine, kernelLog: [{ msg: 'a' }, { msg: 'b' }] } },
    ]),
    [
      'machine  node     link                       kernel log  conditions True',
      'm1       -        no SideroLink              0 lines     -',
      'm2       forge-1  SideroLink by gRPC tunnel  2 lines     SideroLinkConnected TalosInstalled',
    ],
  );
});
