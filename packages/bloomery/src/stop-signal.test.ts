import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, it } from 'node:test';

/** Says `ready`, then `asked` when it is to stop, and ends by itself when it is told that its work is done. */
const PROGRAM = `
import { stopSignal } from '${new URL('./stop-signal.ts', import.meta.url).href}';
const signal = stopSignal();
signal.addEventListener('abort', () => console.log('asked'));
process.stdin.on('data', () => process.exit(0));
console.log('ready');
`;

describe('a process that is asked to stop', () => {
  let child: ChildProcess;
  afterEach(() => child.kill('SIGKILL'));

  /** Start it and send what is listed; then it has as long as it wants for its work, and is told that it has done it. */
  async function exitAfter(signals: readonly NodeJS.Signals[], laterMs = 0): Promise<number | null> {
    child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    await said('ready');
    const [first, ...others] = signals;
    child.kill(first);
    await said('asked');
    if (laterMs > 0) await new Promise((resolve) => setTimeout(resolve, laterMs));
    for (const signal of others) child.kill(signal);
    if (laterMs === 0) child.stdin?.end('done');
    const [code] = await exited;
    return code;
  }

  async function said(word: string): Promise<void> {
    let text = '';
    while (!text.includes(word)) text += String(await once(child.stdout ?? child, 'data'));
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`ends its work first, at ${signal}`, async () => {
      assert.equal(await exitAfter([signal]), 0);
    });
  }

  it('ends its work first where the terminal goes away meanwhile, as at the end of a session', async () => {
    assert.equal(await exitAfter(['SIGTERM', 'SIGHUP']), 0);
  });

  it('ends at once when it is asked again later', async () => {
    assert.equal(await exitAfter(['SIGTERM', 'SIGTERM'], 1_100), 130);
  });
});
