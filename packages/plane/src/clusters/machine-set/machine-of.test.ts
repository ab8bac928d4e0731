import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { MachineSet } from '@bloomery/model';
import { machineName } from './machine-of.ts';

const zeros = (length: number): Uint8Array => new Uint8Array(length);
const set = (name: string, template?: string): MachineSet =>
  ({
    metadata: { name },
    spec: { clusterName: 'c', ...(template === undefined ? {} : { machineNamingStrategy: { template } }) },
  }) as unknown as MachineSet;

const cases: [what: string, set: MachineSet, name: string][] = [
  ['a Machine is named after its set', set('md-abc'), 'md-abc-bbbbb'],
  ['a long name is cut before its random part', set('m'.repeat(80)), `${'m'.repeat(58)}bbbbb`],
  ['a user may say how', set('ms', '{{ .cluster.name }}-w-{{ .random }}'), 'c-w-bbbbb'],
  ['the random part may stand anywhere', set('ms', '{{ .random }}-{{ .machineSet.name }}'), 'bbbbb-ms'],
];
for (const [what, one, name] of cases) it(what, () => assert.equal(machineName(one, zeros), name));
