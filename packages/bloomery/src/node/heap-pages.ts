import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Give back what V8 keeps: pages of its heap that a rush has filled and that are empty now. It gives them to nobody by itself, so that
 * they stay with the process for ever, and does so only in the collection that it makes when memory is short. That takes some 100 ms
 * once and 10 ms when there is nothing to give.
 */
export function releaseHeapPages(): void {
  setFlagsFromString('--expose-gc');
  try {
    const collect: unknown = runInNewContext('gc');
    if (typeof collect === 'function') collect({ type: 'major', flavor: 'last-resort' });
  } catch {
    // Without such a collection all stays as it is.
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
