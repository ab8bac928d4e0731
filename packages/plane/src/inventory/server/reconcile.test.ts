import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findCondition, findObject } from '@bloomery/kube';
import {
  ANNOTATIONS,
  FINALIZERS,
  type JsonObject,
  metalMachine,
  type Server,
  server,
  serverBinding,
} from '@bloomery/model';
import { MACHINE, type Rack, startRack } from '../testing/simulated-plane.ts';

const bmc = { endpoint: '10.0.0.9' };
const accepted = { accepted: true, bmc };
const isIdle = ({ status }: Server): boolean =>
  status?.phase === 'Available' && status.power === 'off' && status.isClean === true;
const isRunning = ({ status }: Server): boolean => status?.phase === 'Running';
const isParked = ({ status }: Server): boolean => status?.phase === 'Parked';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const change = (rack: Rack, body: JsonObject, subresource?: 'status') =>
  rack.client.patch(server, { name: MACHINE }, { type: 'merge', body }, subresource && { subresource });
const annotate = (rack: Rack, name: string, value: string | null = '') =>
  change(rack, { metadata: { annotations: { [name]: value } } });
const actions = (rack: Rack): readonly string[] => rack.machine.history.filter((entry) => entry.startsWith('power'));
/** The binding goes as it goes with a deleted CRD or an older backup: nobody sees a release. */
async function loseBinding(rack: Rack): Promise<void> {
  rack.kill();
  await rack.client.patch(
    serverBinding,
    { name: MACHINE },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  );
  await rack.release();
}

describe('a Server that nobody accepted', () => {
  it('is never switched, wiped or made ready', async () => {
    await using rack = await startRack({ accepted: false, bmc });
    rack.machine.press();
    await rack.pass(HOUR);
    assert.deepEqual(actions(rack), []);
    const { status } = await rack.server();
    assert.deepEqual(
      [status?.phase, status?.ready, status?.power, status?.isClean],
      ['Discovered', false, 'on', false],
    );
  });

  it('is wiped again when it is accepted again', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await change(rack, { spec: { accepted: false } });
    await rack.until('discovered', ({ status }) => status?.isClean === false);
    await change(rack, { spec: { accepted: true } });
    await rack.until('available', isIdle);
    assert.equal(rack.machine.history.filter((entry) => entry === 'wipe').length, 2);
  });

  it('runs on while it is in use, and is not wiped on release', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.bind();
    await rack.until('running', isRunning);
    await change(rack, { spec: { accepted: false } });
    await rack.pass(10 * MINUTE);
    const before = rack.machine.history.length;
    await rack.release();
    await rack.pass(HOUR);
    assert.equal(rack.machine.history.length, before);
    assert.equal((await rack.server()).status?.phase, 'Discovered');
  });
});

describe('the finalizer of a Server', () => {
  it('is there from the start, also with a BMC that is silent', async () => {
    await using rack = await startRack({ accepted: false, bmc });
    rack.machine.silent = true;
    await rack.pass(MINUTE);
    assert.deepEqual((await rack.server()).metadata.finalizers, [FINALIZERS.server]);
  });

  it('holds an allocated Server until its binding goes, and no longer', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.bind();
    await rack.until('running', isRunning);
    await rack.client.delete(server, { name: MACHINE });
    await rack.pass(HOUR);
    assert.notEqual((await rack.server()).metadata.deletionTimestamp, undefined);
    rack.machine.silent = true;
    await rack.release();
    await rack.pass(MINUTE);
    assert.equal(await findObject(rack.client, server, { name: MACHINE }), undefined);
  });

  it('goes though the BMC is silent', async () => {
    await using rack = await startRack(accepted);
    rack.machine.silent = true;
    await rack.pass(MINUTE);
    await rack.client.delete(server, { name: MACHINE });
    await rack.pass(10_000);
    assert.equal(await findObject(rack.client, server, { name: MACHINE }), undefined);
  });
});

describe('a BMC that fails', () => {
  it('is told in a condition and an Event, and asked again by itself', async () => {
    await using rack = await startRack({ accepted: false, bmc });
    rack.machine.silent = true;
    await change(rack, { spec: { accepted: true } });
    await rack.pass(MINUTE);
    const { status } = await rack.server();
    assert.deepEqual([status?.power, status?.ready, status?.waitingFor], ['unknown', false, 'BMC to answer']);
    assert.match(findCondition(status?.conditions, 'BMCReachable')?.message ?? '', /no answer/);
    assert.ok(rack.events.includes(`Server ${MACHINE}: PowerFailed`));
    rack.machine.silent = false;
    const idle = await rack.until('available', isIdle);
    assert.equal(findCondition(idle.status?.conditions, 'BMCReachable'), undefined);
  });

  it('is not asked more than every five minutes in the end, and says what it refused', async () => {
    await using rack = await startRack({ accepted: false, bmc });
    rack.machine.refusing = true;
    await change(rack, { spec: { accepted: true } });
    await rack.pass(HOUR);
    const asked = rack.events.filter((event) => event.endsWith('PowerFailed')).length;
    assert.ok(asked >= 12 && asked <= 18, `asked ${asked} times`);
    const { status } = await rack.server();
    assert.match(findCondition(status?.conditions, 'BMCReachable')?.message ?? '', /boot flags: refused/);
    assert.equal(findCondition(status?.conditions, 'Ready')?.reason, 'PowerUnknown');
  });

  it('is asked at once when somebody mends the Server', async () => {
    await using rack = await startRack({ accepted: false, bmc });
    rack.machine.refusing = true;
    await change(rack, { spec: { accepted: true } });
    await rack.pass(HOUR);
    rack.machine.refusing = false;
    await change(rack, { spec: { bmc: { user: 'other' } } });
    await rack.pass(10_000);
    assert.deepEqual(actions(rack), ['powerOn']);
  });

  it('that refuses to switch is asked again without waiting for an agent that cannot come', async () => {
    await using rack = await startRack({ accepted: false, bmc });
    rack.machine.refusing = true;
    await change(rack, { spec: { accepted: true } });
    await rack.pass(MINUTE);
    assert.equal((await rack.server()).status?.powerIntent, undefined);
    rack.machine.refusing = false;
    await rack.until('wiping', ({ status }) => status?.phase === 'Wiping', 5 * MINUTE);
  });
});

describe('a machine that does not report', () => {
  it('is cycled again when the reboot timeout is over, not before', async () => {
    await using rack = await startRack(accepted, { rebootTimeoutMs: 20 * MINUTE });
    rack.machine.broken = true;
    await rack.pass(19 * MINUTE);
    assert.deepEqual(actions(rack), ['powerOn']);
    await rack.pass(3 * MINUTE);
    assert.deepEqual(actions(rack), ['powerOn', 'powerCycle']);
  });

  it('is not cycled by restarts of the plane', async () => {
    await using rack = await startRack(accepted);
    rack.machine.broken = true;
    for (let i = 0; i < 10; i++) {
      await rack.pass(30_000);
      await rack.restart();
    }
    assert.deepEqual(actions(rack), ['powerOn']);
  });

  it('is not cycled while its agent works, whoever switched it on', async () => {
    await using rack = await startRack({ accepted: false, bmc });
    rack.machine.press();
    await rack.pass(38_000);
    // The BMC needs longer for its boot flags than the machine to its agent.
    rack.pxeDelayMs = 30_000;
    await change(rack, { spec: { accepted: true } });
    await rack.until('available', isIdle);
    assert.equal(rack.machine.history.filter((entry) => entry === 'wiped').length, 1);
    assert.equal((await rack.server()).status?.wipe?.withoutAllocation, 1);
  });
});

describe('a machine without BMC', () => {
  it('is wiped when it boots from the network by itself', async () => {
    await using rack = await startRack({ accepted: true }, { fake: true });
    await rack.pass(HOUR);
    const { status } = await rack.server();
    assert.deepEqual([status?.waitingFor, status?.power], ['network boot (no BMC)', 'on']);
    rack.machine.press();
    await rack.until('available', (now) => now.status?.phase === 'Available');
    await rack.pass(HOUR);
    assert.equal(rack.machine.history.filter((entry) => entry === 'wipe').length, 1);
    assert.deepEqual(actions(rack), []);
  });

  it('goes on from allocation to release by its own boots', async () => {
    await using rack = await startRack({ accepted: true }, { fake: true });
    rack.machine.press();
    await rack.until('available', (now) => now.status?.phase === 'Available');
    await rack.bind();
    await rack.until('running', isRunning);
    await rack.release();
    await rack.pass(MINUTE);
    assert.equal((await rack.server()).status?.phase, 'Releasing');
    rack.machine.press();
    rack.machine.press();
    await rack.until('available', (now) => now.status?.phase === 'Available');
    assert.equal(rack.machine.history.filter((entry) => entry === 'wipe').length, 2);
  });
});

describe('a machine in use', () => {
  it('is left alone once it runs, over restarts of the plane', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.bind();
    const { status } = await rack.until('running', isRunning);
    assert.equal(findCondition(status?.conditions, 'PXEBooted')?.status, 'True');
    const before = rack.machine.history.length;
    for (let i = 0; i < 5; i++) {
      await rack.pass(10 * MINUTE);
      await rack.restart();
    }
    assert.equal(rack.machine.history.length, before);
  });

  it('is switched on again when somebody switches it off, and boots its disk', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.bind();
    await rack.until('running', isRunning);
    rack.machine.press();
    await rack.pass(10 * MINUTE);
    assert.deepEqual(rack.machine.history.slice(-2), ['powerOn', 'boot disk']);
  });

  it('loses PXEBooted, its holder and the token of its boot with the release', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.bind();
    await rack.until('running', isRunning);
    rack.machine.silent = true;
    await rack.release();
    await rack.pass(MINUTE);
    const { status, metadata } = await rack.server();
    assert.equal(findCondition(status?.conditions, 'PXEBooted'), undefined);
    assert.deepEqual([status?.inUse, status?.machine, status?.isClean], [false, undefined, false]);
    assert.notEqual(status?.released, undefined);
    assert.equal(metadata.annotations?.[ANNOTATIONS.boundTo], undefined);
  });

  it('is released only when its MetalMachine goes, and says so until then', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.client.create(metalMachine, {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
      kind: 'MetalMachine',
      metadata: { name: 'm', namespace: 'default' },
      spec: {},
    });
    await rack.bind();
    await rack.until('running', isRunning);
    await rack.release();
    await rack.pass(HOUR);
    const { status } = await rack.server();
    const ready = findCondition(status?.conditions, 'Ready');
    assert.deepEqual([status?.phase, ready?.reason], ['Running', 'HeldByMetalMachine']);
    assert.deepEqual(rack.machine.history.slice(-1), ['boot environment']);
    await rack.client.delete(metalMachine, { namespace: 'default', name: 'm' });
    await rack.until('available', isIdle);
  });
});

describe('a Server whose binding vanished', () => {
  it('is parked, left running, and wiped only when somebody confirms', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.bind();
    await rack.until('running', isRunning);
    await loseBinding(rack);
    const { status } = await rack.until('parked', isParked);
    assert.match(findCondition(status?.conditions, 'Ready')?.message ?? '', /bloomery\.dev\/bound-to/);
    assert.ok(rack.events.includes(`Server ${MACHINE}: Parked`));
    await rack.pass(24 * HOUR);
    assert.deepEqual(rack.machine.history.slice(-1), ['boot environment']);
    await annotate(rack, ANNOTATIONS.boundTo, null);
    await rack.until('available', isIdle);
    assert.deepEqual(rack.machine.history.slice(-5), ['powerCycle', 'boot agent', 'wipe', 'wiped', 'powerOff']);
  });

  it('goes on as before when the binding comes back', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.bind();
    await rack.until('running', isRunning);
    await loseBinding(rack);
    await rack.until('parked', isParked);
    await rack.bind();
    await rack.until('in use', ({ status }) => status?.inUse === true);
    await rack.pass(HOUR);
    assert.deepEqual(rack.machine.history.slice(-1), ['boot environment']);
  });
});

describe('the loop breaker', () => {
  it('parks after the third wipe for nobody, until bloomery.dev/reset-loop is set', async () => {
    await using rack = await startRack(accepted);
    for (let wipe = 1; wipe <= 3; wipe++) {
      await rack.until(`available ${wipe}`, isIdle);
      await change(rack, { status: { isClean: false } }, 'status');
    }
    const { status } = await rack.until('parked', isParked);
    assert.match(findCondition(status?.conditions, 'Ready')?.message ?? '', /bloomery\.dev\/reset-loop/);
    assert.ok(rack.events.includes(`Server ${MACHINE}: LoopDetected`));
    await rack.pass(HOUR);
    assert.equal(rack.machine.history.filter((entry) => entry === 'wipe').length, 3);
    await annotate(rack, ANNOTATIONS.resetLoop);
    const again = await rack.until('available', isIdle);
    assert.equal(again.metadata.annotations?.[ANNOTATIONS.resetLoop], undefined);
    assert.equal(again.status?.wipe?.withoutAllocation, 1);
  });

  it('counts from the last allocation on', async () => {
    await using rack = await startRack(accepted);
    for (let i = 0; i < 5; i++) {
      await rack.until('available', isIdle);
      await rack.bind();
      await rack.until('running', isRunning);
      await rack.release();
    }
    const { status } = await rack.until('available', isIdle);
    assert.equal(status?.wipe?.withoutAllocation, 1);
  });
});

describe('annotations of people', () => {
  for (const [what, name, phase] of [
    ['protect', ANNOTATIONS.protect, 'Parked'],
    ['pause', ANNOTATIONS.pause, 'Discovered'],
    ["Cluster API's pause", ANNOTATIONS.capiPaused, 'Discovered'],
  ] as const) {
    it(`${what} keeps a dirty Server from its wipe until it goes`, async () => {
      await using rack = await startRack({ accepted: false, bmc });
      await annotate(rack, name);
      await change(rack, { spec: { accepted: true } });
      await rack.pass(HOUR);
      assert.equal((await rack.server()).status?.phase, phase);
      assert.deepEqual(actions(rack), []);
      await annotate(rack, name, null);
      await rack.until('available', isIdle);
    });
  }

  it('protect holds the release of a machine that runs', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.bind();
    await rack.until('running', isRunning);
    await annotate(rack, ANNOTATIONS.protect);
    await rack.release();
    await rack.pass(HOUR);
    assert.equal((await rack.server()).status?.phase, 'Running');
    assert.deepEqual(rack.machine.history.slice(-1), ['boot environment']);
    await annotate(rack, ANNOTATIONS.protect, null);
    await rack.until('available', isIdle);
  });
});

describe('what an authorised client writes to status', () => {
  it('counts as the report of the machine', async () => {
    await using rack = await startRack({ accepted: true }, { fake: true });
    await rack.pass(MINUTE);
    await change(rack, { status: { isClean: true } }, 'status');
    const { status } = await rack.until('available', (now) => now.status?.phase === 'Available', MINUTE);
    assert.deepEqual([status?.isClean, status?.ready], [true, true]);
  });
});

describe('a Server in a steady state', () => {
  it('is not written to', async () => {
    await using rack = await startRack(accepted);
    await rack.until('available', isIdle);
    await rack.pass(MINUTE);
    const before = rack.client.revision();
    await rack.pass(HOUR);
    assert.equal(rack.client.revision(), before);
  });
});
