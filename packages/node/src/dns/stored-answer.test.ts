import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeDnsEdns, PLAIN_EDNS, readDnsQuery } from '@bloomery/wire';
import fc from 'fast-check';
import { storedAnswer } from './stored-answer.ts';
import { decoded, questionOf } from './testing/dns-client.ts';
import { type AnswerParts, answerOf } from './testing/scripted-server.ts';

function answer(parts: AnswerParts, name = 'Host.TEST'): Buffer {
  const packet = questionOf({ name });
  const reading = readDnsQuery(packet);
  assert.ok(reading?.ok);
  return answerOf({ packet, query: reading.query }, parts);
}

describe('answers as they are remembered', () => {
  it('have a question in lower case, one time to live, and no OPT record', () => {
    const message = answer({ addresses: ['10.0.0.1', '10.0.0.2'], ttlSeconds: 90 });
    const opt = encodeDnsEdns(PLAIN_EDNS);
    message.writeUInt16BE(1, 10);
    const stored = storedAnswer(Buffer.concat([message, opt]), 1) ?? assert.fail('not remembered');
    const kept = decoded(stored.data.subarray(0, stored.messageBytes));
    assert.deepEqual([kept.question.name, kept.edns, kept.additionals], ['host.test', undefined, []]);
    assert.deepEqual(
      kept.answers.map(({ ttlSeconds }) => ttlSeconds),
      [90, 90],
    );
    assert.deepEqual([stored.keyFlags, stored.lifeMs, stored.negative, stored.ttlCount], [1, 90_000, false, 2]);
    const offsets = Buffer.from(stored.data.subarray(stored.messageBytes));
    for (let i = 0; i < stored.ttlCount; i++)
      assert.equal(Buffer.from(stored.data).readUInt32BE(offsets.readUInt16BE(2 * i)), 90);
  });
  it('what was received is not changed', () => {
    const message = answer({ addresses: ['10.0.0.1'], ttlSeconds: 1 });
    const before = Buffer.from(message);
    storedAnswer(message, 0);
    assert.deepEqual(message, before);
  });
  it('rubbish is not remembered, and never crashes', () => {
    const good = answer({ addresses: ['10.0.0.1'], soaSeconds: 5 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(good.byteLength),
        (edits, length) => {
          const message = Buffer.from(good);
          for (const [at, byte] of edits) message[at] = byte;
          for (const one of [message, message.subarray(0, length)]) {
            const stored = storedAnswer(one, 0);
            if (stored === undefined) continue;
            assert.ok(stored.lifeMs >= 5_000 && stored.lifeMs <= 3_600_000);
            assert.ok(stored.messageBytes + 2 * stored.ttlCount === stored.data.byteLength);
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
