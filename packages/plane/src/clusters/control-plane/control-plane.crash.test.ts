import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type JsonObject, machine } from '@bloomery/model';
import { type Simulation, startSimulation } from './testing/simulated-control-plane.ts';

const at = (name: string) => ({ name, namespace: 'default' });

class Killed extends Error {}

interface Scenario {
  readonly name: string;
  readonly start: number;
  readonly servers: number;
  readonly maxSurge?: number;
  /** What somebody does once the control plane is up; with nothing the coming up itself is interrupted. */
  readonly change?: (s: Simulation) => Promise<void>;
  readonly end: number;
}

const spec = (patch: JsonObject) => (s: Simulation) => s.spec(patch);

const SCENARIOS: readonly Scenario[] = [
  { name: 'coming up', start: 3, servers: 9, end: 3 },
  { name: 'scale up', start: 1, servers: 9, change: spec({ replicas: 3 }), end: 3 },
  { name: 'scale down', start: 5, servers: 9, change: spec({ replicas: 3 }), end: 3 },
  { name: 'scale down to one', start: 3, servers: 9, change: spec({ replicas: 1 }), end: 1 },
  { name: 'rollout', start: 3, servers: 4, change: spec({ version: 'v1.33.0' }), end: 3 },
  { name: 'rollout without surge', start: 3, servers: 3, maxSurge: 0, change: spec({ version: 'v1.33.0' }), end: 3 },
  { name: 'upgrade of a single machine', start: 1, servers: 2, change: spec({ version: 'v1.33.0' }), end: 1 },
  {
    name: 'change in place',
    start: 3,
    servers: 3,
    change: spec({
      rolloutStrategy: { type: 'InPlace' },
      controlPlaneConfig: { controlplane: { generateType: 'controlplane', talosVersion: 'v1.11.2' } },
    }),
    end: 3,
  },
  {
    name: 'replacement of a dead machine',
    start: 3,
    servers: 3,
    change: async (s) => {
      const [victim] = [...s.machines.values()];
      assert.ok(victim);
      victim.isOn = false;
      await s.giveUp(victim.name);
    },
    end: 3,
  },
  {
    name: 'deletion of a Machine by hand',
    start: 3,
    servers: 9,
    change: async (s) => {
      const [victim] = await s.list();
      await s.client.delete(machine, at(victim?.metadata.name ?? ''));
    },
    end: 3,
  },
];

async function isDone(s: Simulation, { end }: Scenario): Promise<boolean> {
  const { status, metadata } = (await s.controlPlane()) ?? {};
  return (
    status?.observedGeneration === metadata?.generation &&
    status?.waitingFor === undefined &&
    status?.etcd === `${end}/${end}` &&
    status.updatedReplicas === end &&
    (await s.list()).length === end &&
    s.etcd.members.length === end
  );
}

/** Run a scenario and be killed at the n-th effect of its change, before it took place or with its answer lost. Returns all effects. */
async function run(scenario: Scenario, kill?: { readonly at: number; readonly applied: boolean }): Promise<number> {
  let count = -1;
  const s = await startSimulation({
    replicas: scenario.start,
    servers: scenario.servers,
    maxSurge: scenario.maxSurge ?? 1,
    effect: (what, applied) => {
      if (count < 0) return;
      if (!applied) count++;
      if (kill !== undefined && count === kill.at && applied === kill.applied) throw new Killed(what);
    },
  });
  if (scenario.change !== undefined) {
    await s.until('the start', () => isDone(s, { ...scenario, end: scenario.start }));
    await scenario.change(s);
  }
  count = 0;
  await s.step().then((ok) => ok || s.restart());
  await s.until(`${scenario.name} killed at ${kill?.at} ${kill?.applied}`, () => isDone(s, scenario));
  assert.deepEqual(s.violations, []);
  assert.equal(s.etcd.bootstraps, 1);
  return count;
}

describe('killed at any instruction', () => {
  for (const scenario of SCENARIOS) {
    it(`${scenario.name} comes to the same end`, async () => {
      const effects = await run(scenario);
      assert.ok(effects > 5, `${effects} effects`);
      for (let n = 1; n <= effects; n++) {
        await run(scenario, { at: n, applied: false });
        await run(scenario, { at: n, applied: true });
      }
    });
  }
});
