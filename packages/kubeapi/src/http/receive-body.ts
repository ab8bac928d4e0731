import type { Http2ServerRequest } from 'node:http2';
import { apiError } from '@bloomery/kube';
import type { Clock } from '@bloomery/ports';
import { badRequest } from '../pipeline/api-status.ts';
import type { ListenLimits } from './listen-limits.ts';

/**
 * Receive the whole body of a request. After a refusal the rest of it is thrown away as it comes, so that the answer can be read.
 *
 * @throws 413 when it is too large, 408 when it is too slow, 400 when the caller breaks off.
 */
export function receiveBody(request: Http2ServerRequest, limits: ListenLimits, clock: Clock): Promise<Uint8Array> {
  const { bodyBytes, requestMs } = limits;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const cancel = clock.after(requestMs, () => refuse(tooSlow(requestMs)));
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > bodyBytes) refuse(tooLarge(bodyBytes));
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      leave();
      resolve(Buffer.concat(chunks));
    };
    const onBreak = (): void => refuse(badRequest('the body of the request broke off'));

    function leave(): void {
      cancel();
      request.off('data', onData).off('end', onEnd).off('close', onBreak).off('aborted', onBreak);
    }
    function refuse(error: Error): void {
      leave();
      chunks.length = 0;
      request.resume();
      reject(error);
    }

    if (Number(request.headers['content-length'] ?? 0) > bodyBytes) refuse(tooLarge(bodyBytes));
    else request.on('data', onData).on('end', onEnd).on('close', onBreak).on('aborted', onBreak);
  });
}

function tooLarge(limit: number): Error {
  const message = `Request entity too large: limit is ${limit}`;
  return apiError({ code: 413, reason: 'RequestEntityTooLarge', message });
}

function tooSlow(limitMs: number): Error {
  const message = `the body of the request was not there after ${limitMs / 1000} s`;
  return apiError({ code: 408, reason: 'Timeout', message });
}
