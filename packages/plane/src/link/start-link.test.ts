import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createMemoryClient, createObjectCache } from '@bloomery/kube';
import { silentLog, systemClock } from '@bloomery/ports';
import { loadLinkIdentity } from './link-secret.ts';
import { type Link, type LinkOptions, startLink } from './start-link.ts';

const dir = mkdtempSync(join(tmpdir(), 'blm-link-down-'));
after(() => rmSync(dir, { recursive: true, force: true }));

async function start(options: Pick<LinkOptions, 'mode' | 'interfaceName'>): Promise<Link> {
  const client = createMemoryClient();
  const common = {
    listenPort: 0,
    tunnel: 'auto' as const,
    negativeAddressFilter: [],
    stateDir: dir,
    advertise: () => [{ host: '10.0.0.1' }],
  };
  return startLink(
    { ...common, ...options },
    {
      identity: await loadLinkIdentity(client),
      client,
      cache: createObjectCache(),
      events: { record() {} },
      timeline: { record() {} },
      clock: systemClock,
      log: silentLog,
      random: (length) => new Uint8Array(length),
    },
  );
}

describe('a link that cannot be', () => {
  it('is off when nobody wants it', async () => {
    await using link = await start({ mode: 'off' });
    assert.deepEqual(link.status(), { state: 'off' });
  });

  for (const mode of ['auto', 'userspace', 'kernel'] as const) {
    it(`is down with the reason when no device can be made (${mode}), and Provision is there all the same`, async () => {
      await using link = await start({ mode, interfaceName: 'not/allowed' });
      const status = link.status();
      assert.equal(status.state, 'down');
      assert.ok(status.state === 'down' && status.reason.length > 10, JSON.stringify(status));
      assert.equal(link.provision.name, 'sidero.link.ProvisionService');
    });
  }
});
