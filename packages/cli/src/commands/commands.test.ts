import assert from 'node:assert/strict';
import { it, describe as suite } from 'node:test';
import type { ApiCall } from '@bloomery/kube';
import {
  cluster,
  type Explanation,
  event,
  explanation,
  type KindRef,
  type KubeObject,
  machineTimeline,
  server,
} from '@bloomery/model';
import { createFakeSession, type FakeSession } from '../testing/fake-session.ts';
import { setSwitch } from './accept.ts';
import { describe } from './describe.ts';
import { explain } from './explain.ts';
import { get } from './get.ts';
import { power } from './power.ts';
import { timeline } from './timeline.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '7b121f82-24a8-4611-9d23-fa1a5ba564f1';

type Item = { readonly kind: KindRef; readonly object: KubeObject };

function item(kind: KindRef, metadata: KubeObject['metadata'], rest: object = {}): Item {
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  return { kind, object: { apiVersion, kind: kind.kind, metadata, ...rest } };
}

const waiting = [
  {
    type: 'Ready',
    status: 'False',
    reason: 'WaitingForAccept',
    message: 'nobody accepted it',
    lastTransitionTime: '2026-01-01T09:00:00Z',
  },
];
const network = { interfaces: [{ mac: 'aa:bb:cc:00:00:07' }] };
const servers: readonly Item[] = [
  item(
    server,
    { name: A },
    {
      spec: { accepted: false, hostname: 'rack1-u07', hardware: { network } },
      status: { phase: 'Discovered', waitingFor: 'accept', conditions: waiting },
    },
  ),
  item(server, { name: B }, { spec: { accepted: true }, status: { phase: 'Available' } }),
];

const finding: NonNullable<Explanation['findings']>[number] = {
  rule: 'WaitingForAccept',
  severity: 'info',
  cause: 'Nobody accepted it.',
  since: '2026-01-01T09:00:00Z',
  evidence: [{ time: '2026-01-01T09:00:00Z', source: 'agent', text: 'registered' }],
  next: 'Nothing.',
  do: ['bloomery accept it'],
  more: 'reference/wait-reasons#WaitingForAccept',
};
const about = { kind: 'Server', name: A };
const explanations: readonly Item[] = [
  item(explanation, { name: `server.${A}`, namespace: 'default' }, { about, healthy: false, findings: [finding] }),
  item(
    explanation,
    { name: `server.${B}`, namespace: 'default' },
    { about: { kind: 'Server', name: B }, healthy: true, findings: [] },
  ),
];

const EXPLAINED = `Server ${A}
  cause     Nobody accepted it. (WaitingForAccept)
  since     3h (2026-01-01T09:00:00Z)
  evidence  2026-01-01T09:00:00Z  agent  registered
  next      Nothing.
  do        bloomery accept it
  more      reference/wait-reasons#WaitingForAccept
`;

suite('bloomery get', () => {
  const columnDefinitions = [{ name: 'Name', priority: 0 }, { name: 'Phase' }, { name: 'BMC IP', priority: 1 }];
  const answer = (call: ApiCall): object => {
    assert.match(call.accept ?? '', /as=Table/);
    return { columnDefinitions, rows: [{ cells: [A, 'Discovered', null] }] };
  };

  it("prints the manager's table, wide columns only when asked for", async () => {
    const session = createFakeSession(servers, answer);
    await get(session, ['srv'], {});
    await get(session, ['servers'], { output: 'wide' });
    const id = A.length;
    assert.equal(
      session.out(),
      [
        `${'NAME'.padEnd(id)}   PHASE\n${A}   Discovered\n`,
        `${'NAME'.padEnd(id)}   PHASE        BMC IP\n${A}   Discovered   -\n`,
      ].join(''),
    );
  });

  it('resolves servers by what is written on them', async () => {
    const session = createFakeSession(servers, answer);
    for (const name of ['AA:BB:CC:00:00:07', 'rack1-u07', '6b121f'])
      await get(session, ['server', name], { output: 'name' });
    assert.equal(session.out(), `server.metal.sidero.dev/${A}\n`.repeat(3));
    await assert.rejects(get(session, ['server', 'rack1-u08'], { output: 'name' }), {
      code: 'BLM_CLI_NAME_UNKNOWN',
      message: 'no server is known as "rack1-u08"; did you mean rack1-u07?',
    });
  });

  it('prints JSON lists of its own and single objects as they are', async () => {
    const session = createFakeSession(servers);
    await get(session, ['servers'], { json: true });
    assert.partialDeepStrictEqual(JSON.parse(session.out()), {
      apiVersion: 'cli.bloomery.dev/v1',
      kind: 'ServerList',
      items: [{ metadata: { name: A } }, { metadata: { name: B } }],
    });
    const single = createFakeSession(servers);
    await get(single, [`server/${A}`], { json: true });
    assert.partialDeepStrictEqual(JSON.parse(single.out()), { kind: 'Server', metadata: { name: A } });
  });

  it('suggests kinds and formats', async () => {
    const session = createFakeSession([]);
    await assert.rejects(get(session, ['severs'], {}), { message: /did you mean servers/ });
    await assert.rejects(get(session, ['servers'], { output: 'xml' }), { code: 'BLM_CLI_USAGE' });
  });
});

suite('bloomery explain', () => {
  it('prints cause, since, evidence, next and what to do', async () => {
    const session = createFakeSession([...servers, ...explanations]);
    await explain(session, [`server/${A}`], {});
    assert.equal(session.out(), EXPLAINED);
  });

  it('says in one line that there is nothing to explain, and skips such objects with --all', async () => {
    const session = createFakeSession([...servers, ...explanations]);
    await explain(session, ['server', B], {});
    assert.equal(session.out(), `Server ${B}: nothing to explain, it is where it should be.\n`);
    const all = createFakeSession([...servers, ...explanations]);
    await explain(all, [], { all: true });
    assert.equal(all.out(), EXPLAINED);
  });

  it('explains from the objects alone where the manager does not', async () => {
    const session = createFakeSession(servers);
    await explain(session, [A], {});
    assert.match(session.out(), /cause {5}Server 6b12.*nobody accepted it yet.* \(WaitingForAccept\)/i);
    assert.match(session.out(), /do {8}bloomery accept 6b12/);
  });
});

suite('bloomery timeline', () => {
  const entry = (seq: number, source: string, time: string, more: object = {}): object => {
    return {
      seq,
      time,
      source,
      stage: 'Wiping',
      severity: 'info',
      event: 'E',
      summary: `entry ${seq}`,
      about: {},
      ...more,
    };
  };
  const entries = [
    entry(1, 'boot', '2026-01-01T08:00:00.000Z'),
    entry(2, 'agent', '2026-01-01T11:59:00.000Z', { durationMs: 61_000, severity: 'error' }),
  ];
  const objects = [...servers, item(machineTimeline, { name: `server.${A}`, namespace: 'default' }, { entries })];

  it('prints a line for each mark', async () => {
    const session = createFakeSession(objects);
    await timeline(session, [A], {});
    assert.equal(
      session.out(),
      '2026-01-01T08:00:00.000Z  boot    Wiping      entry 1\n2026-01-01T11:59:00.000Z  agent   Wiping      error: entry 2 (1m1s)\n',
    );
  });

  it('restricts by time and source, and prints JSON lines', async () => {
    const session = createFakeSession(objects);
    await timeline(session, [A], { since: '1h', json: true });
    assert.deepEqual(JSON.parse(session.out()), entries[1]);
    const none = createFakeSession(objects);
    await timeline(none, [A], { source: 'bmc,link' });
    assert.equal(none.out(), '');
    await assert.rejects(timeline(none, [A], { since: 'yesterday' }), { code: 'BLM_CLI_USAGE' });
  });
});

suite('bloomery describe', () => {
  it('shows the object, its cause, conditions and Events', async () => {
    const involvedObject = { kind: 'Server', name: A };
    const happened = {
      involvedObject,
      type: 'Normal',
      reason: 'Registered',
      message: 'registered',
      count: 2,
      lastTimestamp: '2026-01-01T11:00:00Z',
    };
    const session = createFakeSession([
      ...servers,
      ...explanations,
      item(event, { name: 'e', namespace: 'default' }, happened),
    ]);
    await describe(session, [`srv/${A}`]);
    const text = session.out();
    assert.match(text, new RegExp(`^Name: {8}${A}\n`));
    assert.ok(text.includes(EXPLAINED));
    assert.match(text, /Ready {3}False {4}WaitingForAccept {3}3h {6}nobody accepted it/);
    assert.match(text, /1h {4}Normal {3}Registered {3}2 {7}registered/);
  });
});

suite('bloomery accept and its like', () => {
  const accepted = async (session: FakeSession, name: string): Promise<unknown> =>
    (await session.client.get(server, { name })).spec?.accepted;

  it('accepts by name, by selector of what nobody accepted, and says what was so already', async () => {
    const session = createFakeSession(servers);
    await setSwitch(session, 'accept', [B], {});
    await setSwitch(session, 'accept', [], { allUnaccepted: true });
    assert.equal(session.out(), `server/${B} already accepted\nserver/${A} accepted\n`);
    assert.equal(await accepted(session, A), true);
  });

  it('changes nothing in a dry run, and wants to know which servers', async () => {
    const session = createFakeSession(servers);
    await setSwitch(session, 'accept', [A], { dryRun: true });
    assert.equal(await accepted(session, A), false);
    await assert.rejects(setSwitch(session, 'cordon', [], {}), { code: 'BLM_CLI_USAGE' });
  });
});

suite('bloomery power', () => {
  it('refuses servers that nobody accepted or that have no BMC', async () => {
    const session = createFakeSession(servers);
    await assert.rejects(power(session, 'on', [A], {}), { code: 'BLM_CLI_REFUSED' });
    await assert.rejects(power(session, 'cycle', [B], {}), { code: 'BLM_CLI_REFUSED', message: /no BMC/ });
    await assert.rejects(power(session, 'explode', [B], {}), { code: 'BLM_CLI_USAGE' });
    await power(session, 'status', [B], {});
    assert.equal(session.out(), `server/${B} unknown: it has no BMC\n`);
  });
});

suite('an object that is not there', () => {
  it('is named with its kind, and the nearest names', async () => {
    const named = (name: string) => item(cluster, { name, namespace: 'default' });
    const session = createFakeSession([named('forge'), named('anvil')]);
    await assert.rejects(describe(session, ['cluster/forgee']), {
      code: 'BLM_CLI_NAME_UNKNOWN',
      message: 'no Cluster in namespace default is called "forgee"; did you mean forge?',
      facts: { try: 'bloomery get clusters -A' },
    });
  });
});
