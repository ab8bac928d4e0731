import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMemoryClient } from '@bloomery/kube/testing';
import { machine, metalMachine, secret, server, serverBinding } from '@bloomery/model';
import { createFakeClock, type Logger } from '@bloomery/ports';
import { createBootSessions, type MachineAnswer, memorySessionStore } from '../boot/index.ts';
import { createMetadataRoute } from './index.ts';

const NAME = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const MAC = '52:54:00:00:00:01';
const MACHINE_ADDRESS = '10.77.0.9';
const TOKEN_IN_CONFIG = 'hunter2.hunter2hunter2';

async function world() {
  const clock = createFakeClock(Date.UTC(2026, 0, 2));
  const client = createMemoryClient({ clock });
  const namespaced = (name: string) => ({ name, namespace: 'default' });
  await client.create(server, {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name: NAME },
    spec: { accepted: true },
  });
  await client.create(serverBinding, {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: { name: NAME },
    spec: { metalMachineRef: namespaced('mm') },
  });
  await client.create(metalMachine, {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'MetalMachine',
    metadata: {
      ...namespaced('mm'),
      ownerReferences: [{ apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name: 'm', uid: 'u' }],
    },
    spec: {},
  });
  await client.create(machine, {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Machine',
    metadata: namespaced('m'),
    spec: { clusterName: 'blue', bootstrap: { dataSecretName: 'boot' }, infrastructureRef: {} },
  });
  const value = Buffer.from(
    `version: v1alpha1\nmachine:\n  type: worker\n  token: ${TOKEN_IN_CONFIG}\n  someday: 1\n`,
  ).toString('base64');
  await client.create(secret, { apiVersion: 'v1', kind: 'Secret', metadata: namespaced('boot'), data: { value } });
  const said: string[] = [];
  const say = (event: string, fields?: unknown): void => void said.push(`${event} ${JSON.stringify(fields)}`);
  const log: Logger = { debug: say, info: say, warn: say, error: say, with: () => log };
  const events: string[] = [];
  const marks: string[] = [];
  const sessions = createBootSessions({ clock, random: (n) => new Uint8Array(n).fill(7), store: memorySessionStore });
  const route = createMetadataRoute({
    client,
    events: { record: (_about, event) => void events.push(`${event.reason} ${event.message}`) },
    timeline: { record: (draft) => void marks.push(`${draft.event} ${draft.summary} ${JSON.stringify(draft.facts)}`) },
    sessions,
    serverName: (uuid) => uuid.toLowerCase(),
    endpoint: { host: '10.77.0.1', port: 8081 },
    linkAddress: () => 'fd00::1',
    clock,
    log,
  });
  const ask = async (query: string, address = MACHINE_ADDRESS): Promise<MachineAnswer> =>
    await route.handle({
      method: 'GET',
      path: '/configdata',
      query: new URLSearchParams(query),
      headers: {},
      address,
      signal: new AbortController().signal,
    });
  return { ask, clock, sessions, said, events, marks };
}

describe('the configuration of a machine', () => {
  it('is given to the one who has the token of the boot, also in upper case, and again within the boot', async () => {
    const { ask, sessions, events, marks } = await world();
    sessions.expectPowered(NAME);
    const issued = sessions.issue(NAME, MAC, MACHINE_ADDRESS);
    assert.ok(issued.ok);
    for (const uuid of [NAME, NAME.toUpperCase()]) {
      const answer = await ask(`t=${issued.token}&uuid=${uuid}`);
      assert.equal(answer.status, 200);
      assert.match(String(answer.body), /someday: 1\n/);
    }
    assert.deepEqual(events, new Array(2).fill('ConfigServed The configuration was given to 10.77.0.9.'));
    assert.match(marks[0] ?? '', /machine\.someday: unknown key/);
  });

  const refusals: readonly [name: string, query: (token: string) => string, reason: string][] = [
    ['without a token', () => `uuid=${NAME}`, 'TokenMissing'],
    ['with another token', () => `uuid=${NAME}&t=AAAA`, 'TokenWrong'],
  ];
  for (const [name, query, reason] of refusals) {
    it(`is refused ${name}, and people are told`, async () => {
      const { ask, sessions, events, marks } = await world();
      sessions.expectPowered(NAME);
      const issued = sessions.issue(NAME, MAC, MACHINE_ADDRESS);
      assert.ok(issued.ok);
      const answer = await ask(query(issued.token), '10.77.0.66');
      assert.equal(answer.status, 403);
      assert.equal(answer.body, `the configuration of ${NAME} is not for this request\n`);
      assert.deepEqual(events, [
        `ConfigRefused The configuration was asked for from 10.77.0.66 and refused: ${reason}.`,
      ]);
      assert.match(marks[0] ?? '', /^ConfigRefused/);
    });
  }

  it('is refused while no boot is expected', async () => {
    const { ask, events } = await world();
    assert.equal((await ask(`uuid=${NAME}&t=AAAA`)).status, 403);
    assert.match(events[0] ?? '', /NoBootExpected/);
  });

  it('is given without a token to the address that fetched the script of an Environment with its own talos.config', async () => {
    const { ask, sessions } = await world();
    sessions.expectPowered(NAME);
    sessions.issue(NAME, MAC, MACHINE_ADDRESS, { ownConfigArgument: true });
    assert.equal((await ask(`uuid=${NAME}`, '10.77.0.66')).status, 403);
    assert.equal((await ask(`uuid=${NAME}`)).status, 200);
  });

  it('appears in no log, Event or mark', async () => {
    const { ask, sessions, said, events, marks } = await world();
    sessions.expectPowered(NAME);
    const issued = sessions.issue(NAME, MAC, MACHINE_ADDRESS);
    assert.ok(issued.ok);
    await ask(`t=${issued.token}&uuid=${NAME}`);
    await ask(`uuid=${NAME}`);
    const everything = [...said, ...events, ...marks].join('\n');
    assert.equal(everything.includes('hunter2'), false);
    assert.equal(everything.includes(issued.token), false);
  });

  it('cannot be guessed without end: an address that is refused too often has to wait', async () => {
    const { ask, clock } = await world();
    for (let i = 0; i < 60; i++) assert.equal((await ask(`uuid=${NAME}&t=${i}`)).status, 403);
    assert.equal((await ask(`uuid=${NAME}&t=x`)).status, 429);
    assert.equal((await ask(`uuid=${NAME}&t=x`, '10.77.0.10')).status, 403);
    await clock.advance(1_000);
    assert.equal((await ask(`uuid=${NAME}&t=x`)).status, 403);
  });

  it('of an unknown machine is a 404 in plain text', async () => {
    const { ask } = await world();
    const answer = await ask('uuid=00000000-0000-0000-0000-000000000000');
    assert.equal(answer.status, 404);
    assert.match(String(answer.body), /^server is not allocated \(missing serverbinding\): .*\n$/);
  });
});
