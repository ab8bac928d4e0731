import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ApiCall, apiError } from '@bloomery/kube';
import {
  cluster,
  type KindRef,
  type KubeObject,
  machine,
  metalMachine,
  server,
  serverBinding,
  siderolinkPeer,
} from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { createFakeSession, type FakeSession } from '../testing/fake-session.ts';
import { logs } from './logs.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '7b121f82-24a8-4611-9d23-fa1a5ba564f1';
const BASE = '/apis/insight.bloomery.dev/v1alpha1';

type Item = { readonly kind: KindRef; readonly object: KubeObject };

function item(kind: KindRef, name: string, rest: object = {}): Item {
  const metadata = kind.scope === 'Cluster' ? { name } : { name, namespace: 'default' };
  return { kind, object: { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata, ...rest } };
}

const objects: readonly Item[] = [
  item(server, A, { spec: { accepted: true, hostname: 'rack1-u07' } }),
  item(server, B, { spec: { accepted: true } }),
  item(metalMachine, 'mm', { spec: {} }),
  item(machine, 'm', { spec: {} }),
  item(cluster, 'c', { spec: {} }),
];
const line = (uuid: string, n: number): string =>
  `{"msg":"line ${n}\\n","server_uuid":"${uuid}","talos-level":"info","talos-time":"2026-01-01T11:00:0${n}Z"}`;

type Answer = readonly string[] | Error;

/** A session whose streams answer in turn. A stream that is followed stays open after its last answer. */
function sessionWith(answers: readonly Answer[], more: readonly Item[] = []) {
  const asked: string[] = [];
  const stop = new AbortController();
  const left = [...answers];
  const session = createFakeSession([...objects, ...more], undefined, async function* ({ path }: ApiCall) {
    asked.push(path);
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    yield* answer ?? [];
    if (left.length === 0) stop.abort();
  });
  const deps = { ...session.deps, signal: stop.signal };
  return { session: { ...session, deps } as FakeSession, asked, stop };
}

/** Several streams, one after the other: the clock is moved on meanwhile. */
async function follow(session: FakeSession, words: readonly string[], options = {}): Promise<void> {
  const running = { isOver: false };
  const done = logs(session, words, { follow: true, ...options })
    .then(
      () => undefined,
      (error: unknown) => error,
    )
    .finally(() => {
      running.isOver = true;
    });
  while (!running.isOver) await session.clock.advance(500);
  const error = await done;
  if (error !== undefined) throw error;
}

const unreachable = new BloomeryError('BLM_API_UNAVAILABLE', 'GET https://x: ECONNREFUSED', { retryable: true });

describe('bloomery logs', () => {
  it('prints the lines of a server for people, found by any of its names', async () => {
    for (const name of [A, 'rack1-u07', '6b121f', `server/${A}`]) {
      const { session, asked } = sessionWith([[`1 ${line(A, 1)}`, `2 ${line(A, 2)}`]]);
      await logs(session, [name], {});
      assert.equal(session.out(), '2026-01-01T11:00:01.000Z  info   line 1\n2026-01-01T11:00:02.000Z  info   line 2\n');
      assert.deepEqual(asked, [`${BASE}/serverlogs/${A}?cursors=true`]);
      assert.equal(session.err(), '');
    }
  });

  it('finds a server by what its operating system calls itself, unless a server has that name of its own', async () => {
    const reported = {
      hostname: 'node-9',
      addresses: ['10.0.0.9'],
      siderolink: { address: 'fd00::9/64', publicKey: '' },
    };
    const claims = { hostname: 'rack1-u07' };
    const more = [item(serverBinding, B, { spec: reported })];
    for (const name of ['Node-9', '10.0.0.9', 'fd00::9']) {
      const { session, asked } = sessionWith([[line(B, 1)]], more);
      await logs(session, [name], {});
      assert.match(asked[0] ?? '', new RegExp(`/serverlogs/${B}`));
    }
    const { session, asked } = sessionWith([[line(A, 1)]], [item(serverBinding, B, { spec: claims })]);
    await logs(session, ['rack1-u07'], {});
    assert.match(asked[0] ?? '', new RegExp(`/serverlogs/${A}`));
  });

  it('prints the lines byte for byte with --json', async () => {
    const odd = `{"a":"\\u003cü","msg":" x "}`;
    const { session } = sessionWith([[`1 ${odd}`, `2 ${line(B, 2)}`]]);
    await logs(session, [], { all: true, json: true });
    assert.equal(session.out(), `${odd}\n${line(B, 2)}\n`);
  });

  it('names the machines where there are several: by inventory, else by what the operating system says', async () => {
    const lines = [`1 ${line(A, 1)}`, `2 ${line(B, 2)}`, '3 {"msg":"?"}'];
    for (const [more, nameOfB] of [
      [[], B],
      [[item(serverBinding, B, { spec: { hostname: 'node-9' } })], 'node-9'],
    ] as const) {
      const { session, asked } = sessionWith([lines], more);
      await logs(session, ['cluster/c'], {});
      assert.equal(
        session.out(),
        `rack1-u07  2026-01-01T11:00:01.000Z  info   line 1\n${nameOfB}  2026-01-01T11:00:02.000Z  info   line 2\nunknown  -  -      ?\n`,
      );
      assert.deepEqual(asked, [`${BASE}/namespaces/default/serverlogs?cursors=true&cluster=c`]);
    }
  });

  it('asks for machines in their namespace, and for what is wanted of them', async () => {
    const { session, asked } = sessionWith([['1 {}'], ['1 {}'], ['1 {}']]);
    await logs(session, ['machine/m'], { since: '1h30m', tail: '5', grep: 'a b' });
    await logs(session, ['metalmachine', 'mm'], {});
    assert.deepEqual(asked, [
      `${BASE}/namespaces/default/serverlogs?cursors=true&since=5400000ms&tail=5&grep=a+b&machine=m`,
      `${BASE}/namespaces/default/serverlogs?cursors=true&metalmachine=mm`,
    ]);
  });

  it('takes a stream that breaks off up again behind its last line', async () => {
    const { session, asked } = sessionWith([[`7 ${line(A, 1)}`], unreachable, unreachable, [`9 ${line(A, 2)}`]]);
    await follow(session, [A], { since: '1h', grep: 'line' });
    assert.equal(session.out(), '2026-01-01T11:00:01.000Z  info   line 1\n2026-01-01T11:00:02.000Z  info   line 2\n');
    assert.equal(session.err(), 'The manager does not answer (GET https://x: ECONNREFUSED); going on when it does.\n');
    assert.equal(asked[0], `${BASE}/serverlogs/${A}?cursors=true&follow=true&since=3600000ms&grep=line`);
    assert.deepEqual(
      new Set(asked.slice(1)),
      new Set([`${BASE}/serverlogs/${A}?cursors=true&follow=true&grep=line&after=7`]),
    );
  });

  it('ends when it is refused, also while it follows', async () => {
    const forbidden = apiError({ code: 403, reason: 'Forbidden', message: 'no' });
    const busy = apiError({ code: 429, reason: 'TooManyRequests', message: 'too many' });
    for (const refusal of [forbidden, busy]) {
      const { session } = sessionWith([[`7 ${line(A, 1)}`], refusal]);
      await assert.rejects(follow(session, [A]), { message: refusal.message });
    }
    await assert.rejects(logs(sessionWith([unreachable]).session, [A], {}), { code: 'BLM_API_UNAVAILABLE' });
  });

  const peer = (state: string): Item => item(siderolinkPeer, A, { state, lastHandshake: '2026-01-01T11:50:00Z' });
  const bound = item(serverBinding, A, { spec: { metalMachineRef: { name: 'mm', namespace: 'default' } } });
  const why: [name: string, words: string[], more: Item[], wanted: RegExp][] = [
    ['a machine that was never linked', [A], [], /^No kernel lines yet\. The machine was never linked/],
    ['a link that is down', [A], [peer('down')], /Its link is down since 10m: bloomery explain server\/6b12/],
    ['a link that never came up', [A], [peer('never')], /was not heard from/],
    ['a machine that says nothing', [A], [peer('up')], /is linked and has sent nothing/],
    ['a MetalMachine without a server', ['metalmachine/mm'], [], /MetalMachine mm has no server yet/],
    ['a MetalMachine whose link is down', ['metalmachine/mm'], [bound, peer('down')], /Its link is down/],
  ];
  for (const [name, words, more, wanted] of why) {
    it(`says why there are no lines: ${name}`, async () => {
      const { session, stop } = sessionWith([[], []], more);
      await logs(session, words, {});
      assert.equal(session.out(), '');
      assert.match(session.err(), wanted);
      stop.abort();
    });
  }

  it('says why there are no lines also to who follows', async () => {
    const { session } = sessionWith([[], [], [], []]);
    await follow(session, [A]);
    assert.match(session.err(), /^No kernel lines yet\. The machine was never linked/);
  });

  it('says that none fit when some were left out', async () => {
    const { session } = sessionWith([[], []]);
    await logs(session, [A], { grep: 'x' });
    assert.match(session.err(), /^No kernel lines that fit\./);
  });

  const bad: [words: string[], options: object][] = [
    [[], {}],
    [[A], { all: true }],
    [[A], { since: 'yesterday' }],
    [[A], { tail: '-1' }],
    [['machine/m', 'x', 'y'], {}],
  ];
  for (const [words, options] of bad) {
    it(`is used wrongly with ${JSON.stringify([words, options])}`, () =>
      assert.rejects(logs(sessionWith([[]]).session, words, options), { code: 'BLM_CLI_USAGE' }));
  }

  it('knows no log of other kinds, and names that are near', async () => {
    const env = item({ ...server, kind: 'Environment', plural: 'environments' } as KindRef, 'default');
    await assert.rejects(logs(sessionWith([[]], [env]).session, ['environment/default'], {}), {
      code: 'BLM_CLI_USAGE',
    });
    await assert.rejects(logs(sessionWith([[]]).session, ['rack1-u08'], {}), {
      code: 'BLM_CLI_NAME_UNKNOWN',
      message: /did you mean rack1-u07/,
    });
  });
});
