import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog, systemClock } from '@bloomery/ports';
import { createFakeKernel } from '../testing/fake-kernel/fake-kernel.ts';
import { openEthtool } from './ethtool-client.ts';
import { errnoNumber, kernelRefused } from './kernel-error.ts';
import type { NetlinkRequests } from './netlink-socket.ts';

describe('ethtool of a kernel that has none', () => {
  const asked: string[] = [];
  const requests: NetlinkRequests = {
    request: (what) => {
      asked.push(what);
      return Promise.reject(kernelRefused(what, { errno: errnoNumber('ENOENT') }));
    },
  };
  const link = createFakeKernel().plug({ name: 'eth0' });
  const open = () => openEthtool({ clock: systemClock, log: silentLog, requests, onChange: () => {} });

  it('knows nothing of a card, without asking for it', async () => {
    using ethtool = await open();
    asked.length = 0;
    assert.deepEqual(await ethtool.readLink(link), {});
    assert.deepEqual(await ethtool.read(link), { ourModes: [], peerModes: [], features: [] });
    assert.deepEqual(asked, []);
  });

  it('refuses changes with what the kernel says', async () => {
    using ethtool = await open();
    await assert.rejects(ethtool.change(link, { rings: { rx: 256 } }), {
      message: 'looking for ethtool in the kernel: ENOENT No such file or directory',
    });
  });
});
