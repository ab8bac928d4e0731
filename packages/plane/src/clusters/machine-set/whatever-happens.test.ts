import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { KubeObject } from '@bloomery/model';
import { machine, machineSet, metalMachine, talosConfig } from '@bloomery/model';
import fc from 'fast-check';
import { startWorld } from '../../allocation/testing/world.ts';
import {
  at,
  clusterSeeds,
  countingBytes,
  createFakeNodes,
  type FakeNodes,
  machineSetSeed,
} from '../testing/sets-world.ts';
import { createMachineSetController } from './reconcile.ts';

const deed = fc.oneof(
  fc.record({ do: fc.constant('scale' as const), n: fc.nat(5) }),
  fc.record({ do: fc.constant('delete' as const), n: fc.nat(5) }),
  fc.record({ do: fc.constant('release' as const), n: fc.nat(5) }),
  fc.record({ do: fc.constant('mark' as const), n: fc.nat(5) }),
  fc.record({ do: fc.constant('break' as const), n: fc.nat(5) }),
  fc.record({ do: fc.constant('stick' as const), n: fc.nat(5) }),
  fc.record({ do: fc.constant('loseParts' as const), n: fc.nat(5) }),
  fc.record({ do: fc.constant('wait' as const), n: fc.nat(3) }),
);

it('whatever people do to a set and its Machines, it ends with as many as asked for, and nothing left over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 12 }), async (deeds) => {
      const fake: FakeNodes = { broken: new Set(), stuck: new Set() };
      const random = countingBytes();
      await using w = await startWorld(
        (kinds) => [createMachineSetController({ kinds, random }), createFakeNodes(fake)],
        [...clusterSeeds, machineSetSeed(2)],
      );
      let most = 2;
      let size = 2;
      const check = async (): Promise<void> => {
        const { items } = await w.client.list(machine);
        const owned = items.filter(({ metadata }) =>
          metadata.ownerReferences?.some(({ kind }) => kind === 'MachineSet'),
        );
        assert.ok(owned.length <= most, `${owned.length} machines, never more than ${most} asked for`);
      };
      for (const { do: what, n } of deeds) {
        const { items } = await w.client.list(machine);
        const name = items[n % Math.max(1, items.length)]?.metadata.name ?? 'none';
        if (what === 'scale') {
          size = n;
          most = Math.max(most, size);
          await w.client.patch(machineSet, at('ms'), { type: 'merge', body: { spec: { replicas: n } } });
        }
        if (what === 'delete') await w.client.delete(machine, at(name)).catch(() => undefined);
        if (what === 'mark') {
          const conditions = ['HealthCheckSucceeded', 'OwnerRemediated'].map((type) => ({ type, status: 'False' }));
          await w.status(machine, at(name), { conditions }).catch(() => undefined);
        }
        if (what === 'release') {
          const body = { metadata: { labels: { 'cluster.x-k8s.io/set-name': null } } };
          await w.client.patch(machine, at(name), { type: 'merge', body }).catch(() => undefined);
        }
        if (what === 'break') fake.broken.add(name);
        if (what === 'stick') fake.stuck.add(name);
        if (what === 'loseParts') await w.client.delete<KubeObject>(metalMachine, at(name)).catch(() => undefined);
        if (what === 'wait') await w.settle(n * 100);
        await check();
      }
      fake.stuck.clear();
      fake.broken.clear();
      for (const { metadata } of (await w.client.list(machine)).items) {
        const body = { metadata: { annotations: { poke: 'yes' } } };
        await w.client.patch(machine, at(metadata.name), { type: 'merge', body }).catch(() => undefined);
      }
      await w.settle(5000);
      await w.settle(5000);
      const { items } = await w.client.list(machine);
      const isAlone = (o: KubeObject): boolean =>
        (o.metadata.ownerReferences ?? []).every(({ kind }) => kind !== 'MachineSet');
      const alone = items.filter(isAlone).length;
      assert.equal(items.length - alone, size);
      for (const kind of [metalMachine, talosConfig] as const) {
        const parts = (await w.client.list<KubeObject>(kind)).items.map(({ metadata }) => metadata.name);
        assert.ok(
          parts.every((part) => items.some(({ metadata }) => metadata.name === part)),
          `${kind.kind} left over`,
        );
      }
      assert.equal((await w.client.get(machineSet, at('ms'))).status?.replicas, size);
    }),
    { numRuns: 60, interruptAfterTimeLimit: 20_000 },
  );
});
