import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog, systemClock } from '@bloomery/ports';
import { openKernel } from './open-kernel.ts';
import { enterPrivateNetwork, ip, ipJson } from './testing/private-network.ts';

const skip = await enterPrivateNetwork();
const SETTING = '/proc/sys/net/ipv4/conf/eth0/promote_secondaries';

interface ShownAddresses {
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly secondary?: boolean }[];
}

const addresses = (): readonly string[] =>
  ipJson<ShownAddresses>('-4', 'addr', 'show', 'dev', 'eth0').flatMap(({ addr_info }) =>
    addr_info.map(({ local, prefixlen, secondary }) => `${local}/${prefixlen}${secondary ? ' secondary' : ''}`),
  );

describe('an address that goes while later ones of its network are there', { skip }, () => {
  for (const setting of ['0', '1']) {
    it(`takes neither them nor a route with it, and promote_secondaries stays ${setting}`, async () => {
      await enterPrivateNetwork();
      ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
      for (const name of ['eth0', 'peer0']) ip('link', 'set', name, 'up');
      writeFileSync(SETTING, setting);
      for (const address of ['10.0.0.5/24', '10.0.0.6/24', '10.0.0.7/24']) ip('addr', 'add', address, 'dev', 'eth0');
      ip('route', 'add', 'default', 'via', '10.0.0.1');
      ip('route', 'add', '10.9.0.0/16', 'via', '10.0.0.1', 'src', '10.0.0.7');
      const stateDir = mkdtempSync(join(tmpdir(), 'blm-kernel-'));
      await using kernel = await openKernel({ clock: systemClock, log: silentLog, stateDir });
      const index = kernel.view.linkByName('eth0')?.index ?? 0;
      const seen = (): readonly string[] =>
        [...kernel.view.addresses.values()].flatMap(({ local, address }) => (local === '' ? [] : [address]));

      await kernel.addresses.remove(index, '10.0.0.5/24');
      assert.deepEqual(addresses(), ['10.0.0.6/24', '10.0.0.7/24 secondary']);
      assert.deepEqual(seen(), ['10.0.0.6/24', '10.0.0.7/24']);
      const routes = ip('route')
        .split('\n')
        .map((line) => line.trim());
      assert.ok(routes.includes('default via 10.0.0.1 dev eth0'), routes.join('\n'));
      assert.ok(routes.includes('10.9.0.0/16 via 10.0.0.1 dev eth0 src 10.0.0.7'), routes.join('\n'));
      assert.equal(readFileSync(SETTING, 'utf8').trim(), setting);
      rmSync(stateDir, { recursive: true, force: true });
    });
  }
});
