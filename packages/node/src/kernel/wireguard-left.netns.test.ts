import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { silentLog, systemClock } from '@bloomery/ports';
import { openKernel } from './open-kernel.ts';
import { enterPrivateNetwork, ip, ipBatch } from './testing/private-network.ts';

const skip = await enterPrivateNetwork();
const PRIVATE_KEY = 'YEocP0e2o1WT5GlvBvQzVF7EeR6z9aCk+ZdZ5NKEuXA=';

/** Of the kernel, or wireguard-go where it has none: then a process of its own, which a daemon that is killed leaves behind. */
describe('a WireGuard device that an earlier run left', { skip }, () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'blm-left-'));
  after(() => {
    // wireguard-go ends with its link.
    if (skip === false) ipBatch(['link del wg0']);
    rmSync(stateDir, { recursive: true, force: true });
  });
  const open = (leave: boolean) => openKernel({ clock: systemClock, log: silentLog, stateDir, leave });

  it('is known for what it is, also to one who only looks, is told more, and goes when it is removed', async () => {
    {
      await using first = await open(true);
      await first.wireguard.create('wg0');
      await first.wireguard.configure('wg0', { privateKey: PRIVATE_KEY, listenPort: 51_820, peers: [] });
    }
    {
      await using looking = await open(true);
      assert.equal(looking.view.linkByName('wg0')?.kind, 'wireguard');
      assert.equal((await looking.wireguard.read('wg0'))?.listenPort, 51_820);
    }
    await using next = await open(false);
    await next.wireguard.configure('wg0', { listenPort: 51_821, peers: [] });
    const state = await next.wireguard.read('wg0');
    assert.deepEqual([state?.privateKey, state?.listenPort], [PRIVATE_KEY, 51_821]);
    await next.links.remove(next.view.linkByName('wg0')?.index ?? 0);
    assert.equal(next.view.linkByName('wg0'), undefined);
    assert.throws(() => ip('link', 'show', 'wg0'));
  });
});
