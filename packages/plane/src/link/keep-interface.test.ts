import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, type Logger, silentLog } from '@bloomery/ports';
import { keepInterface } from './keep-interface.ts';

async function setUp({ nft = true } = {}) {
  const clock = createFakeClock();
  const told: string[] = [];
  const log: Logger = { ...silentLog, warn: (event) => void told.push(event) };
  const host = { up: true, exists: true, isolated: false, nft };
  const kept = await keepInterface({
    interfaceName: 'siderolink',
    isConfigured: () => host.up,
    configure: async () => {
      if (!host.exists) throw new Error('Cannot find device');
      host.up = true;
    },
    isIsolated: async () => host.isolated,
    isolate: async () => {
      if (!host.nft) throw new Error('nft: not found');
      host.isolated = true;
    },
    clock,
    log,
  });
  return { clock, told, host, kept };
}

describe('the interface of the link', () => {
  it('is left alone while nobody changes it, and when it is disposed', async () => {
    const { clock, told, host, kept } = await setUp();
    assert.equal(host.isolated, true);
    await clock.advance(60_000);
    assert.deepEqual(told, []);
    await kept[Symbol.asyncDispose]();
    host.up = false;
    await clock.advance(60_000);
    assert.equal(host.up, false);
  });

  it('comes up again, with its address, within 10 s', async () => {
    const { clock, told, host } = await setUp();
    host.up = false;
    await clock.advance(10_000);
    assert.equal(host.up, true);
    await clock.advance(60_000);
    assert.deepEqual(told, ['link.interface_restored']);
  });

  it('is isolated again when somebody flushed the rules', async () => {
    const { clock, told, host, kept } = await setUp();
    host.isolated = false;
    await clock.advance(10_000);
    assert.equal(host.isolated, true);
    assert.equal(kept.notIsolated(), undefined);
    assert.deepEqual(told, ['link.isolation_restored']);
  });

  it('says why it is not isolated, once, and is as soon as it can be', async () => {
    const { clock, told, host, kept } = await setUp({ nft: false });
    await clock.advance(60_000);
    assert.match(kept.notIsolated() ?? '', /nft: not found/);
    assert.deepEqual(told, ['link.not_isolated']);
    host.nft = true;
    await clock.advance(10_000);
    assert.equal(kept.notIsolated(), undefined);
  });

  it('is lost when it is not there any more', async () => {
    const { clock, host, kept } = await setUp();
    host.up = false;
    host.exists = false;
    await clock.advance(10_000);
    assert.match(await kept.lost, /Cannot find device/);
  });
});
