import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATIONS, type JsonObject, machine } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { type Simulation, startSimulation } from './testing/simulated-control-plane.ts';

const at = (name: string) => ({ name, namespace: 'default' });
const STEPS = 120;

/** Numbers 0 ≤ n < 1 out of a seed (mulberry32): a failure replays. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Machines may fail as long as etcd would survive it by itself: what we do meanwhile must not cost it its quorum. */
function failOne(s: Simulation, random: () => number): void {
  const on = [...s.machines.values()].filter(({ isOn }) => isOn);
  const victim = on[Math.floor(random() * on.length)];
  if (victim === undefined) return;
  victim.isOn = false;
  if (s.etcd.members.length > 0 && !s.etcd.hasQuorum()) victim.isOn = true;
  s.etcd.elect();
}

/** Something happens to the cluster, or somebody does something with it. */
async function disturb(s: Simulation, random: () => number): Promise<void> {
  const names = [...s.machines.keys()];
  const name = names[Math.floor(random() * names.length)];
  const dice = random();
  if (dice < 0.2) failOne(s, random);
  else if (dice < 0.4) for (const m of s.machines.values()) m.isOn = true;
  else if (dice < 0.5) await s.spec({ replicas: [1, 2, 3, 3, 5, 5][Math.floor(random() * 6)] ?? 3 });
  else if (dice < 0.6) await s.spec({ version: `v1.${30 + Math.floor(random() * 9)}.0` });
  else if (dice < 0.65) {
    const rolloutStrategy: JsonObject = { type: 'RollingUpdate', rollingUpdate: { maxSurge: random() < 0.5 ? 0 : 1 } };
    await s.spec({ rolloutStrategy });
  } else if (name !== undefined && dice < 0.75) {
    const dead = [...s.machines.values()].find(({ isOn }) => !isOn);
    await s.giveUp(dead?.name ?? name).catch(() => undefined);
  } else if (name !== undefined && dice < 0.8) {
    await s.client.delete(machine, at(name)).catch(() => undefined);
  } else if (name !== undefined && dice < 0.85) {
    const annotations = { [ANNOTATIONS.deleteMachine]: '' };
    await s.client
      .patch(machine, at(name), { type: 'merge', body: { metadata: { annotations } } })
      .catch(() => undefined);
  } else if (dice < 0.95) s.restart();
}

async function isSettled(s: Simulation): Promise<boolean> {
  const { status, metadata, spec } = (await s.controlPlane()) ?? {};
  const replicas = spec?.replicas ?? 0;
  return (
    status?.observedGeneration === metadata?.generation &&
    status?.waitingFor === undefined &&
    status?.etcd === `${replicas}/${replicas}` &&
    status.updatedReplicas === replicas &&
    s.etcd.runningVoters() === replicas &&
    (await s.list()).length === replicas
  );
}

async function run(seed: number): Promise<void> {
  const random = randomFrom(seed);
  let isCalm = false;
  const s = await startSimulation({
    replicas: [1, 3, 5][Math.floor(random() * 3)] ?? 3,
    servers: 4 + Math.floor(random() * 5),
    effect: (what, _applied) => {
      if (isCalm || random() >= 0.05) return;
      throw random() < 0.5
        ? new BloomeryError('BLM_TALOS_API_UNREACHABLE', `${what}: the answer is lost`, { retryable: true })
        : new Error(`killed at ${what}`);
    },
  });
  for (let i = 0; i < STEPS; i++) {
    if (random() < 0.4) await disturb(s, random);
    if (!(await s.step())) s.restart();
    assert.deepEqual(s.violations, [], `seed ${seed}, step ${i}`);
  }
  isCalm = true;
  for (const m of s.machines.values()) m.isOn = true;
  await s.spec({ replicas: 3, rolloutStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } });
  try {
    await s.until('the end', () => isSettled(s));
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
  assert.deepEqual(s.violations, [], `seed ${seed}`);
  assert.equal(s.etcd.bootstraps, 1, `seed ${seed}`);
}

describe('a control plane in a world of failures', () => {
  const first = Number(process.env['BLOOMERY_SEED'] ?? 1);
  const count = Number(process.env['BLOOMERY_SEEDS'] ?? 30);
  for (let seed = first; seed < first + count; seed++) {
    it(`keeps quorum, bootstraps once and comes to rest (seed ${seed})`, () => run(seed));
  }
});
