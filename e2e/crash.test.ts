import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { followMachines, type Lab, powerOnMachines, rackMachine, STAGES } from '../packages/lab/src/index.ts';
import { say, startTestLab, whyNoLab } from './testing.ts';

const TIMEOUT_MS = 20 * 60_000;
const KILLS = 3;
/** The plane is killed up to this long after a stage was reached. */
const MAX_DELAY_MS = 15_000;

/** Nothing follows on RunsFromDisk but Observed, the end; an early allocation skips SwitchedOff. */
const NEVER_AFTER: readonly string[] = ['SwitchedOff', 'RunsFromDisk', 'Observed', 'Joined'];
/** undefined: the power button. */
const KILL_AFTER = [undefined, ...STAGES.filter((stage) => !NEVER_AFTER.includes(stage))];

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Numbers from 0 up to 1 out of the seed: the same seed kills at the same places. */
function randomNumbers(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe(`a plane that is killed ${KILLS} times (seed ${seed})`, { skip: whyNoLab(), timeout: TIMEOUT_MS }, () => {
  const machine = rackMachine(4, 'bios');
  let lab: Lab;
  before(async () => {
    lab = await startTestLab('kill', 4, [machine]);
  });
  after(() => lab?.stop());

  it('continues the journey of its machines', async () => {
    const random = randomNumbers(seed);
    const kills = Array.from({ length: KILLS }, () => ({
      stage: KILL_AFTER[Math.floor(random() * KILL_AFTER.length)],
      delayMs: Math.floor(random() * MAX_DELAY_MS),
      done: false,
    }));
    say(`seed ${seed}: ${kills.map((kill) => `${kill.stage ?? 'PoweredOn'} + ${kill.delayMs} ms`).join(', ')}`);
    await lab.applyExample('cluster.yaml', ['forge']);
    await lab.applyExample('third-machine.yaml');
    const startedAt = Date.now();
    await powerOnMachines({ ...lab, machines: [machine], say });
    const killWhenDue = async (): Promise<void> => {
      for (const kill of kills.filter((k) => !k.done)) {
        const reachedSeconds = kill.stage === undefined ? 0 : lab.log.secondsAt(machine.name, kill.stage);
        if (reachedSeconds === undefined) continue;
        if (Date.now() - startedAt < reachedSeconds * 1000 + kill.delayMs) continue;
        kill.done = true;
        await lab.plane.kill();
        say(`plane: killed, ready again in ${await lab.plane.start()} ms`);
      }
    };
    const journey = { ...lab, machines: [machine], timeoutMs: TIMEOUT_MS, say, meanwhile: killWhenDue };
    await followMachines({ ...journey, until: ['Observed'] });
    assert.ok(kills.every((kill) => kill.done));
    assert.equal(lab.watch.sight(machine).binding?.spec?.hostname, 'forge-3');
    assert.deepEqual(lab.rack.markers(machine), []);
  });
});
