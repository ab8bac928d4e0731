import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, until } from '@bloomery/ports';
import { emptyDnsAnswer } from '@bloomery/wire';
import { ask, openStream, questionOf } from '../testing/dns-client.ts';
import { startDnsRig, tcpPortOf } from '../testing/dns-rig.ts';
import { answerOf, type Script, type SeenQuestion } from '../testing/scripted-server.ts';
import { EdnsFallback } from './edns-fallback.ts';
import type { Exchange } from './exchange.ts';
import { upstreamError } from './upstream-error.ts';
import type { UpstreamQuestion } from './upstream-question.ts';

const known: Script = (seen) => answerOf(seen, { addresses: ['10.0.0.1'] });
const waysOf = (seen: readonly SeenQuestion[]): readonly string[] =>
  seen.map(({ query, transport }) => `${transport}${query.edns === undefined ? '' : ' EDNS'}`);

describe('an upstream that refuses EDNS', () => {
  const refusals: [name: string, refuse: Script][] = [
    ['with a format error', (seen) => answerOf(seen, { rcode: 1 })],
    ['with a header alone', ({ packet }) => emptyDnsAnswer(packet, { rcode: 1 })],
    ['as not implemented', (seen) => answerOf(seen, { rcode: 4 })],
  ];
  for (const [name, refuse] of refusals) {
    it(`${name}, is asked without it, at once and for a quarter of an hour`, async () => {
      const clock = createFakeClock();
      await using rig = await startDnsRig([(seen) => (seen.query.edns === undefined ? known : refuse)(seen)], {
        clock,
      });
      const addressOf = async (host: string): Promise<string | undefined> =>
        (await ask(rig.port, { name: host, edns: {} })).answers[0]?.text;
      assert.deepEqual([await addressOf('a.test'), await addressOf('b.test')], ['10.0.0.1', '10.0.0.1']);
      assert.deepEqual(waysOf(rig.upstreams[0]?.seen ?? []), ['udp EDNS', 'udp', 'udp']);
      await clock.advance(15 * 60_000);
      assert.equal(await addressOf('c.test'), '10.0.0.1');
      assert.deepEqual(waysOf(rig.upstreams[0]?.seen ?? []).slice(3), ['udp EDNS', 'udp']);
    });
  }

  it('is asked without it over TCP, too', async () => {
    await using rig = await startDnsRig([
      (seen) => (seen.query.edns === undefined ? known(seen) : emptyDnsAnswer(seen.packet, { rcode: 1 })),
    ]);
    using stream = openStream(tcpPortOf(rig));
    stream.send(...['a', 'b'].map((name) => questionOf({ name, edns: {} })));
    await until('both answers', () => stream.messages.length === 2);
    assert.deepEqual(
      stream.messages.map((message) => message.readUInt16BE(2) & 15),
      [0, 0],
    );
  });

  it('is asked with it again when it refuses the question without it, too', async () => {
    await using rig = await startDnsRig([(seen) => answerOf(seen, { rcode: 1 })]);
    for (const name of ['a.test', 'b.test']) assert.equal((await ask(rig.port, { name, edns: {} })).rcode, 1);
    assert.deepEqual(waysOf(rig.upstreams[0]?.seen ?? []), ['udp EDNS', 'udp', 'udp EDNS', 'udp']);
  });
});

describe('an upstream whose questions with EDNS are lost', () => {
  const question: UpstreamQuestion = {
    question: questionOf().subarray(12),
    checkingDisabled: false,
    authenticData: false,
    recursionDesired: true,
    edns: { dnssecOk: false },
    transport: 'udp',
  };
  /** Asks for two seconds each; `drops` says whether a question with EDNS is lost. */
  const stage = () => {
    const clock = createFakeClock();
    const asked: string[] = [];
    const scene = { clock, asked, drops: true };
    const exchange: Exchange = {
      async ask({ edns }, signal) {
        asked.push(edns === undefined ? 'plain' : 'EDNS');
        if (edns !== undefined && scene.drops) await clock.sleep(60_000, signal);
        if (signal.aborted) throw upstreamError('it', 'timeout');
        return { message: Uint8Array.of(0, 0, 0x80, 0), transport: 'udp' };
      },
      [Symbol.dispose]() {},
    };
    const fallback = new EdnsFallback(exchange, clock);
    const askFor = async (changes: Partial<UpstreamQuestion> = {}): Promise<string> => {
      const giveUp = new AbortController();
      const startedMs = clock.nowMs();
      clock.after(2_000, () => giveUp.abort());
      let said: string | undefined;
      void fallback.ask({ ...question, ...changes }, giveUp.signal).then(
        () => {
          said = `answer after ${clock.nowMs() - startedMs} ms`;
        },
        () => {
          said = 'timeout';
        },
      );
      while (said === undefined) await clock.advance(500);
      return said;
    };
    return Object.assign(scene, { askFor });
  };

  it('is asked without it after a second, and from the third question on at once', async () => {
    const { asked, askFor } = stage();
    assert.deepEqual(
      [await askFor(), await askFor(), await askFor()],
      ['answer after 1000 ms', 'answer after 1000 ms', 'answer after 0 ms'],
    );
    assert.deepEqual(asked, ['EDNS', 'plain', 'EDNS', 'plain', 'plain']);
  });

  it('is not thought so of because one was lost', async () => {
    const scene = stage();
    await scene.askFor();
    scene.drops = false;
    assert.equal(await scene.askFor(), 'answer after 0 ms');
    scene.drops = true;
    assert.deepEqual([await scene.askFor(), await scene.askFor()], ['timeout', 'timeout']);
    assert.deepEqual(scene.asked, ['EDNS', 'plain', 'EDNS', 'EDNS', 'EDNS']);
  });

  it('though it answered before, is found out after some questions', async () => {
    const scene = stage();
    scene.drops = false;
    await scene.askFor();
    scene.drops = true;
    const said: string[] = [];
    for (let i = 0; i < 6; i++) said.push(await scene.askFor());
    assert.deepEqual(said.slice(2), ['timeout', 'answer after 1000 ms', 'answer after 1000 ms', 'answer after 0 ms']);
  });

  it('is not asked for DNSSEC records without it, nor over TCP, before that is certain', async () => {
    const { asked, askFor } = stage();
    assert.equal(await askFor({ edns: { dnssecOk: true } }), 'timeout');
    assert.equal(await askFor({ transport: 'tcp' }), 'timeout');
    assert.deepEqual(asked, ['EDNS', 'EDNS']);
  });
});
