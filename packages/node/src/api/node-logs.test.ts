import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, type Logger, silentLog } from '@bloomery/ports';
import { logStream } from './log-stream.ts';
import { createNodeLogs, type NodeLogs } from './node-logs.ts';

const TIME = '2023-11-14T22:13:20.000Z';
const made = (log: Logger = silentLog): NodeLogs => createNodeLogs(log, createFakeClock(1_700_000_000_000));

async function read(logs: NodeLogs, id: string, tailLines: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  const signal = new AbortController().signal;
  for await (const piece of logStream(logs, { id, tailLines, follow: false }, signal)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('logs of the daemon', () => {
  it('are kept by the service that an event belongs to', async () => {
    const logs = made();
    logs.log.info('dns.listening', { port: 53 });
    logs.log.warn('cosi.pass_failed', {});
    logs.log.with({ controller: 'network.LinkSpecController' }).error('link.refused', { link: 'eth0' });
    logs.log.info('talos_api.certificate_issued');
    logs.log.info('config.apply', { mode: 'try', at: 1n });
    assert.equal(await read(logs, 'dns-resolve-cache', -1), `${TIME} INFO dns.listening {"port":53}\n`);
    assert.equal(
      await read(logs, 'controller-runtime', -1),
      `${TIME} WARN cosi.pass_failed\n${TIME} ERROR link.refused {"controller":"network.LinkSpecController","link":"eth0"}\n`,
    );
    assert.equal(await read(logs, 'apid', -1), `${TIME} INFO talos_api.certificate_issued\n`);
    assert.equal(await read(logs, 'machined', -1), `${TIME} INFO config.apply {"mode":"try","at":"1"}\n`);
  });

  it('go where they went before, debug included', () => {
    const said: string[] = [];
    const sink: Logger = {
      debug: (event) => said.push(`debug ${event}`),
      info: (event) => said.push(`info ${event}`),
      warn: (event) => said.push(`warn ${event}`),
      error: (event) => said.push(`error ${event}`),
      with: () => sink,
    };
    const { log } = made(sink);
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log.with({ a: 1 })[level]('x');
    assert.deepEqual(said, ['debug x', 'info x', 'warn x', 'error x']);
  });

  it('are given from the end on', async () => {
    const logs = made();
    for (const name of ['a', 'b', 'c']) logs.log.info(name);
    assert.equal(await read(logs, 'machined', 2), `${TIME} INFO b\n${TIME} INFO c\n`);
    assert.equal(await read(logs, 'machined', 0), '');
    assert.equal(await read(logs, 'machined', 99), `${TIME} INFO a\n${TIME} INFO b\n${TIME} INFO c\n`);
  });

  it('do not grow without end', async () => {
    const logs = made();
    for (let at = 0; at < 20_000; at++) logs.log.info('x', { at });
    const text = await read(logs, 'machined', -1);
    assert.ok(text.length < 160 * 1024, `${text.length} characters`);
    assert.ok(text.endsWith('{"at":19999}\n'));
  });

  it('survive facts that have no text', async () => {
    const logs = made();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    logs.log.info('x', circle);
    assert.equal(await read(logs, 'machined', -1), `${TIME} INFO x {…}\n`);
  });

  it('are followed', async () => {
    const logs = made();
    logs.log.info('past');
    const abort = new AbortController();
    const lines = logStream(logs, { id: 'machined', follow: true, tailLines: -1 }, abort.signal);
    assert.equal(String((await lines.next()).value), `${TIME} INFO past\n`);
    const next = lines.next();
    logs.log.info('new');
    assert.equal(String((await next).value), `${TIME} INFO new\n`);
    abort.abort();
    assert.equal((await lines.next()).done, true);
  });

  it('are refused by name for other services', async () => {
    await assert.rejects(
      read(made(), 'kubelet', -1),
      /log "kubelet" was not registered; there are apid, controller-runtime, dns-resolve-cache, machined/,
    );
  });
});
