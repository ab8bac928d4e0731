import assert from 'node:assert/strict';
import { it } from 'node:test';
import { machinePool } from './machine-pool.ts';

it('a MachinePool is refused with what to use instead, and one that is there may be changed and deleted', () => {
  const object = { metadata: { name: 'a' } };
  assert.match(machinePool.admit?.(object, undefined).problems[0]?.message ?? '', /use a MachineDeployment/);
  assert.deepEqual(machinePool.admit?.(object, object).problems, []);
});
