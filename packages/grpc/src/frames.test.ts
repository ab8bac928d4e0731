import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, readFrames } from './frames.ts';
import { decodeGrpcMessage, encodeGrpcMessage } from './grpc-message.ts';
import { formatGrpcTimeout, parseGrpcTimeout } from './grpc-timeout.ts';
import { grpcStatusOf } from './status.ts';

async function* cut(bytes: Uint8Array, at: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const to of [...at].sort((a, b) => a - b)) {
    if (to > from && to < bytes.length) {
      yield bytes.subarray(from, to);
      from = to;
    }
  }
  yield bytes.subarray(from);
}

async function collect(frames: AsyncIterable<Uint8Array>): Promise<string[]> {
  const out: string[] = [];
  for await (const frame of frames) out.push(Buffer.from(frame).toString('hex'));
  return out;
}

describe('message framing', () => {
  it('gives the same messages however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
        fc.array(fc.nat(300)),
        async (m, at) => {
          const bytes = Buffer.concat(m.map(encodeFrame));
          assert.deepEqual(
            await collect(readFrames(cut(bytes, at), 40)),
            m.map((x) => Buffer.from(x).toString('hex')),
          );
        },
      ),
    );
  });
  it('refuses long and compressed messages and a stream that ends inside one', async () => {
    const cases: [bytes: number[], status: string][] = [
      [[0, 0, 0, 0, 41], 'RESOURCE_EXHAUSTED'],
      [[0, 0xff, 0xff, 0xff, 0xff], 'RESOURCE_EXHAUSTED'],
      [[1, 0, 0, 0, 0], 'UNIMPLEMENTED'],
      [[0, 0, 0], 'INTERNAL'],
      [[0, 0, 0, 0, 2, 7], 'INTERNAL'],
    ];
    for (const [bytes, status] of cases) {
      await assert.rejects(collect(readFrames(cut(Uint8Array.from(bytes), []), 40)), (e) => grpcStatusOf(e) === status);
    }
  });
  it('keeps a message that comes byte by byte in its own size, and tells what it keeps', async () => {
    const message = Buffer.alloc(10_000, 7);
    const frame = encodeFrame(message);
    let [held, most] = [0, 0];
    const hold = (by: number): boolean => {
      held += by;
      most = Math.max(most, held);
      return true;
    };
    const everywhere = Array.from({ length: frame.length }, (_, at) => at);
    assert.deepEqual(await collect(readFrames(cut(frame, everywhere), 10_000, hold)), [message.toString('hex')]);
    assert.equal(held, 0);
    assert.ok(most <= frame.length, `${most} bytes`);
    await assert.rejects(collect(readFrames(cut(frame.subarray(0, 9_000), [10]), 10_000, hold)));
    assert.equal(held, 0);
  });
  it('is refused the bytes that may not be kept', async () => {
    const frame = encodeFrame(Buffer.alloc(10_000));
    const refused = collect(readFrames(cut(frame, [5_000, 6_000]), 10_000, (by) => by < 6_000));
    await assert.doesNotReject(refused);
    const hold = (by: number): boolean => by < 4_000;
    await assert.rejects(
      collect(readFrames(cut(frame, [5_000, 6_000]), 10_000, hold)),
      (error) => grpcStatusOf(error) === 'RESOURCE_EXHAUSTED',
    );
  });
  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await collect(readFrames(cut(bytes, []), 100)).catch((error) =>
          assert.notEqual(grpcStatusOf(error), 'UNKNOWN'),
        );
      }),
    );
  });
});

describe('status messages and deadlines', () => {
  it('come back as they were sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const encoded = encodeGrpcMessage(text);
        assert.match(encoded, /^[ -~]*$/);
        assert.equal(decodeGrpcMessage(encoded), text);
      }),
    );
    assert.equal(decodeGrpcMessage('100 %'), '100 %');
  });
  it('reads timeouts in every unit', () => {
    const cases: [text: string, ms: number | undefined][] = [
      ['1H', 3_600_000],
      ['2M', 120_000],
      ['3S', 3_000],
      ['250m', 250],
      ['5000u', 5],
      ['99999999n', 99.999999],
      ['123456789m', undefined],
      ['-1S', undefined],
      ['S', undefined],
      ['', undefined],
    ];
    for (const [text, ms] of cases) assert.equal(parseGrpcTimeout(text), ms, text);
    assert.equal(parseGrpcTimeout(formatGrpcTimeout(1_234)), 1_234);
    assert.equal(parseGrpcTimeout(formatGrpcTimeout(200_000_000)), 200_000_000);
  });
});
