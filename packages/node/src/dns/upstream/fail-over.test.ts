import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '@bloomery/ports';
import { readDnsQuery } from '@bloomery/wire';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import { questionOf } from '../testing/dns-client.ts';
import { type AnswerParts, answerOf } from '../testing/scripted-server.ts';
import { askUpstreams, type UpstreamOutcome } from './ask-upstreams.ts';
import type { Exchange } from './exchange.ts';
import { Upstream, type UpstreamState } from './upstream.ts';
import { overTcp, upstreamError } from './upstream-error.ts';
import { encodeUpstreamQuestion, type UpstreamQuestion } from './upstream-question.ts';

/** How a server behaves in virtual time. */
type Behaviour =
  | AnswerParts
  | 'silent'
  | 'refused'
  | 'refused over TCP'
  | 'no descriptors'
  | 'rubbish'
  | 'other question';

interface Act {
  readonly afterMs?: number;
  readonly does: Behaviour;
  /** What a probe gets; an answer unless given. */
  readonly probe?: Behaviour;
}

interface Stage {
  readonly clock: FakeClock;
  readonly upstreams: readonly Upstream[];
  /** Questions that each was asked, without probes. */
  readonly asked: number[];
  readonly probed: number[];
  readonly acts: Act[];
  /** Ask, and say what came and after how long. */
  ask(): Promise<{ readonly outcome: UpstreamOutcome; readonly tookMs: number }>;
}

const question: UpstreamQuestion = {
  question: questionOf().subarray(12),
  checkingDisabled: false,
  authenticData: false,
  recursionDesired: true,
  transport: 'udp',
};

function stage(...acts: Act[]): Stage {
  const clock = createFakeClock();
  const asked = acts.map(() => 0);
  const probed = acts.map(() => 0);
  const upstreams = acts.map((_, i) => {
    const setting: DnsUpstreamSetting = { address: `10.0.0.${i + 1}`, port: 53, protocol: 'Do53' };
    return new Upstream(setting, {
      clock,
      changed() {},
      exchange: fakeExchange(clock, (isProbe) => {
        const count = isProbe ? probed : asked;
        count[i] = (count[i] ?? 0) + 1;
        const act = acts[i] ?? { does: 'silent' };
        return isProbe ? { does: act.probe ?? { rcode: 5 } } : act;
      }),
    });
  });
  return {
    clock,
    upstreams,
    asked,
    probed,
    acts,
    async ask() {
      const startedMs = clock.nowMs();
      let outcome: UpstreamOutcome | undefined;
      let tookMs = 0;
      void askUpstreams(upstreams, question, clock).then((result) => {
        outcome = result;
        tookMs = clock.nowMs() - startedMs;
      });
      for (let i = 0; i < 1_000 && outcome === undefined; i++) await clock.advance(10);
      return { outcome: outcome ?? assert.fail('never answered'), tookMs };
    },
  };
}

function fakeExchange(clock: FakeClock, next: (isProbe: boolean) => Act): Exchange {
  return {
    async ask(asked, signal) {
      const { afterMs = 0, does } = next(asked.question.byteLength === 5);
      await clock.sleep(afterMs, signal);
      if (does === 'no descriptors') throw upstreamError('it', 'too many open files', NO_DESCRIPTORS);
      if (does === 'refused over TCP') throw overTcp(upstreamError('it', 'connection refused'));
      if (does === 'refused') throw upstreamError('it', 'connection refused');
      if (does === 'silent') {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      }
      if (signal.aborted || does === 'silent') throw upstreamError('it', 'timeout');
      if (does === 'rubbish') return { message: new Uint8Array(3), transport: 'udp' };
      const packet = does === 'other question' ? questionOf({ name: 'evil.test' }) : encodeUpstreamQuestion(asked, 1);
      const reading = readDnsQuery(packet);
      assert.ok(reading?.ok);
      const parts = does === 'other question' ? {} : does;
      return { message: answerOf({ packet, query: reading.query }, parts), transport: 'udp' };
    },
    [Symbol.dispose]() {},
  };
}

const NO_DESCRIPTORS = Object.assign(new Error('socket EMFILE'), { code: 'EMFILE' });
const first: AnswerParts = { addresses: ['10.0.0.1'] };
const second: AnswerParts = { addresses: ['10.0.0.2'] };
const absent: AnswerParts = { rcode: 3, soaSeconds: 5 };
const whoOf = ({ answer }: UpstreamOutcome): string => answer?.upstream ?? 'nobody';

describe('which upstream answers, and after how long', () => {
  const cases: [name: string, acts: Act[], who: string, tookMs: number][] = [
    ['the first, though the second would be as fast', [{ does: first }, { does: second }], '10.0.0.1:53', 0],
    ['the first, when it is slow but in time', [{ does: first, afterMs: 400 }, { does: second }], '10.0.0.1:53', 400],
    ['the second at once after SERVFAIL', [{ does: { rcode: 2 } }, { does: second }], '10.0.0.2:53', 0],
    ['the second at once after REFUSED', [{ does: { rcode: 5 } }, { does: second }], '10.0.0.2:53', 0],
    ['the second at once when nobody is at the first', [{ does: 'refused' }, { does: second }], '10.0.0.2:53', 0],
    ['the second at once after rubbish', [{ does: 'rubbish' }, { does: second }], '10.0.0.2:53', 0],
    ['the second after half a second of silence', [{ does: 'silent' }, { does: second }], '10.0.0.2:53', 500],
    ['the third after a second', [{ does: 'silent' }, { does: 'silent' }, { does: second }], '10.0.0.3:53', 1_000],
    ['the first with its NXDOMAIN: it is final', [{ does: absent }, { does: second }], '10.0.0.1:53', 0],
    [
      'the slow first, who knows a name that the second does not',
      [{ does: first, afterMs: 900 }, { does: absent }],
      '10.0.0.1:53',
      900,
    ],
    [
      'absence from the second, when the first stays silent',
      [{ does: 'silent' }, { does: absent }],
      '10.0.0.2:53',
      1_500,
    ],
    [
      'absence from the second at once, when the first cannot say',
      [{ does: { rcode: 2 } }, { does: absent }],
      '10.0.0.2:53',
      0,
    ],
    ['nobody, at once, when all refuse', [{ does: { rcode: 5 } }, { does: 'refused' }], 'nobody', 0],
    ['nobody after two tries of two seconds, when all are silent', [{ does: 'silent' }], 'nobody', 4_000],
    ['nobody after four seconds and a half at the latest', [{ does: 'silent' }, { does: 'silent' }], 'nobody', 4_500],
    ['nobody where there is none', [], 'nobody', 0],
  ];
  for (const [name, acts, who, tookMs] of cases) {
    it(name, async () => {
      const { outcome, tookMs: took } = await stage(...acts).ask();
      assert.deepEqual([whoOf(outcome), took], [who, tookMs]);
    });
  }
  it('the second try of a single one helps when a packet is lost', async () => {
    const scene = stage({ does: 'silent' });
    const answer = scene.ask();
    scene.acts[0] = { does: first };
    assert.deepEqual([whoOf((await answer).outcome), (await answer).tookMs], ['10.0.0.1:53', 2_000]);
  });
  it('an answer to another question is told apart', async () => {
    const { outcome } = await stage({ does: 'other question' }).ask();
    assert.equal(outcome.answer?.matches, false);
    assert.equal(outcome.tries[0]?.result, 'another question');
  });
  it('says what was tried', async () => {
    const { outcome } = await stage({ does: 'silent' }, { does: { rcode: 2 } }, { does: second }).ask();
    assert.deepEqual(
      outcome.tries.map(({ upstream, startedMs, result }) => [upstream, startedMs, result]),
      [
        ['10.0.0.1:53', 0, 'overtaken'],
        ['10.0.0.2:53', 500, 'SERVFAIL'],
        ['10.0.0.3:53', 500, 'NOERROR'],
      ],
    );
  });
});

describe('a first upstream that is dead', () => {
  const dead: Act = { does: 'silent', probe: 'silent' };
  const stateOf = ({ upstreams }: Stage): UpstreamState | undefined => upstreams[0]?.state;

  it('costs half a second once, and nothing after that', async () => {
    const scene = stage(dead, { does: second });
    assert.equal((await scene.ask()).tookMs, 500);
    assert.equal(stateOf(scene), 'suspect');
    assert.ok((await scene.ask()).tookMs <= 10);
    await scene.clock.advance(2_000);
    assert.deepEqual(
      [stateOf(scene), scene.upstreams[0]?.healthy, scene.upstreams[0]?.lastError],
      ['down', false, 'timeout'],
    );
    const asked = scene.asked[0];
    assert.ok((await scene.ask()).tookMs <= 10);
    assert.equal(scene.asked[0], asked, 'it is not asked any more');
  });
  it('costs a quarter of a second for absent names until it is known', async () => {
    const scene = stage(dead, { does: second });
    await scene.ask();
    scene.acts[1] = { does: absent };
    assert.ok((await scene.ask()).tookMs <= 260);
    await scene.clock.advance(2_000);
    assert.ok((await scene.ask()).tookMs <= 10);
  });
  it('is asked first again as soon as a probe finds it', async () => {
    const scene = stage(dead, { does: second });
    await scene.ask();
    await scene.clock.advance(5_000);
    scene.acts[0] = { does: first };
    await scene.clock.advance(10_000);
    assert.deepEqual([stateOf(scene), whoOf((await scene.ask()).outcome)], ['up', '10.0.0.1:53']);
  });
  it('is probed less and less often', async () => {
    const scene = stage(dead, { does: second });
    await scene.ask();
    await scene.clock.advance(600_000);
    const probes = scene.probed[0] ?? 0;
    assert.ok(probes > 40 && probes < 70, `${probes} probes in ten minutes`);
  });
  it('is not one that answers datagrams and refuses connections', async () => {
    const scene = stage({ does: 'refused over TCP' }, { does: second });
    assert.equal(whoOf((await scene.ask()).outcome), '10.0.0.2:53');
    assert.deepEqual([stateOf(scene), scene.upstreams[0]?.healthy], ['up', true]);
    scene.acts[0] = { does: first };
    assert.equal(whoOf((await scene.ask()).outcome), '10.0.0.1:53');
  });
  it('is not one that this host has no descriptors left to ask', async () => {
    const scene = stage({ does: first }, { does: second });
    await scene.ask();
    scene.acts[0] = { does: 'no descriptors' };
    assert.equal(whoOf((await scene.ask()).outcome), '10.0.0.2:53');
    assert.deepEqual([stateOf(scene), scene.upstreams[0]?.healthy, scene.probed[0]], ['up', true, 0]);
  });
  it('is known before the first question when its host refuses', async () => {
    const scene = stage({ does: 'refused', probe: 'refused' }, { does: second });
    scene.upstreams[0]?.probe();
    await scene.clock.advance(0);
    assert.equal(stateOf(scene), 'down');
    assert.ok((await scene.ask()).tookMs <= 10);
    assert.equal(scene.asked[0], 0);
  });
  it('is asked all the same when there is no other', async () => {
    const scene = stage({ does: 'refused', probe: 'refused' });
    scene.upstreams[0]?.probe();
    await scene.clock.advance(100);
    scene.acts[0] = { does: first };
    assert.equal(whoOf((await scene.ask()).outcome), '10.0.0.1:53');
    assert.deepEqual([stateOf(scene), scene.upstreams[0]?.healthy], ['up', true]);
  });
});

describe('an upstream that lives', () => {
  it('stays first though one name takes it long', async () => {
    const scene = stage({ does: 'silent' }, { does: second });
    assert.equal((await scene.ask()).tookMs, 500);
    scene.acts[0] = { does: first };
    await scene.clock.advance(1_000);
    assert.equal(whoOf((await scene.ask()).outcome), '10.0.0.1:53');
  });
  it('stays in though it does not answer probes', async () => {
    const scene = stage({ does: first, probe: 'silent' }, { does: absent });
    scene.upstreams[0]?.probe();
    await scene.clock.advance(1_500);
    assert.deepEqual([scene.upstreams[0]?.state, scene.upstreams[0]?.healthy], ['suspect', false]);
    assert.equal(whoOf((await scene.ask()).outcome), '10.0.0.1:53');
    assert.deepEqual([scene.upstreams[0]?.state, scene.upstreams[0]?.healthy], ['up', true]);
  });
  it('is not probed while it answers', async () => {
    const scene = stage({ does: first });
    for (let i = 0; i < 5; i++) await scene.ask();
    await scene.clock.advance(60_000);
    assert.deepEqual(scene.probed, [0]);
  });
});
