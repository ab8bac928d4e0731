import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog, until } from '@bloomery/ports';
import { createRouterListener, type HearRouters } from './router-advertisements.ts';

describe('router advertisements', () => {
  let root = '';
  let folder = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'blm-ra-'));
    folder = join(root, 'proc/sys/net/ipv6/conf/eth0.5');
    mkdirSync(folder, { recursive: true });
  });
  const start = (): HearRouters => createRouterListener({ root, folder: join(root, 'kept'), log: silentLog });
  const value = (): string => readFileSync(join(folder, 'accept_ra'), 'utf8').trim();
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const cases: [name: string, forwarding: string, before: string, during: string][] = [
    ['are taken on a host that forwards, and it is put back', '1', '1', '2'],
    ['are taken anyway on a host that does not', '0', '1', '1'],
    ['stay off where they are off', '1', '0', '0'],
  ];
  for (const [name, forwarding, before, during] of cases) {
    it(name, async () => {
      writeFileSync(join(folder, 'forwarding'), `${forwarding}\n`);
      writeFileSync(join(folder, 'accept_ra'), `${before}\n`);
      const undo = await start()('eth0.5');
      assert.equal(value(), during);
      await undo();
      assert.equal(value(), before);
    });
  }
  it('what somebody else has set meanwhile is not put back', async () => {
    writeFileSync(join(folder, 'forwarding'), '1');
    writeFileSync(join(folder, 'accept_ra'), '1');
    const undo = await start()('eth0.5');
    writeFileSync(join(folder, 'accept_ra'), '0');
    await undo();
    assert.equal(value(), '0');
  });
  it('are as before after a run that was killed, and one that ended in order', async () => {
    writeFileSync(join(folder, 'forwarding'), '1');
    writeFileSync(join(folder, 'accept_ra'), '1');
    await start()('eth0.5');
    assert.equal(value(), '2');
    const undo = await start()('eth0.5');
    assert.equal(value(), '2');
    await undo();
    assert.equal(value(), '1');
  });
  it('are as before after a run that was killed, also when the next hears no routers', async () => {
    writeFileSync(join(folder, 'forwarding'), '1');
    writeFileSync(join(folder, 'accept_ra'), '1');
    await start()('eth0.5');
    start();
    await until('it is put back', () => value() === '1');
  });
  it('of a host without IPv6, or of a link that goes away, are no failure', async () => {
    await (await start()('eth9'))();
    writeFileSync(join(folder, 'forwarding'), '1');
    writeFileSync(join(folder, 'accept_ra'), '1');
    const undo = await start()('eth0.5');
    rmSync(folder, { recursive: true });
    await undo();
    assert.deepEqual(readdirSync(join(root, 'kept')), []);
  });
});
