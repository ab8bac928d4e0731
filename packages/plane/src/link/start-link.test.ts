import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type KubeObject, serverBinding } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import { linkProto } from '@bloomery/wire';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { loadLinkIdentity } from './link-secret.ts';
import { type Link, type LinkOptions, startLink } from './start-link.ts';
import { whyNoLinkLab } from './testing/link-lab.ts';

const dir = mkdtempSync(join(tmpdir(), 'blm-link-down-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const UUID = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const binding: KubeObject = {
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind: 'ServerBinding',
  metadata: { name: UUID },
};

async function start(options: Pick<LinkOptions, 'mode' | 'interfaceName'> & Partial<LinkOptions>): Promise<Link> {
  const client = createMemoryClient({ objects: [{ kind: serverBinding, object: binding }] });
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
      random: (length) => new Uint8Array(length).fill(7),
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

  it('answers machines also when the device was made and its port is taken', { skip: whyNoLinkLab() }, async (t) => {
    const other = createSocket('udp4');
    t.after(() => other.close());
    await new Promise<void>((resolve) => other.bind(0, '0.0.0.0', resolve));
    await using link = await start({ mode: 'userspace', interfaceName: 'blmtaken', listenPort: other.address().port });
    const status = link.status();
    assert.match(status.state === 'down' ? status.reason : '', /address already in use/);
    const method = link.provision.methods[0];
    assert.ok(method !== undefined && 'serve' in method);
    const request = create(linkProto.ProvisionRequestSchema, {
      nodeUuid: UUID,
      nodePublicKey: Buffer.alloc(32, 9).toString('base64'),
    });
    const requests = Readable.from([toBinary(linkProto.ProvisionRequestSchema, request)]);
    const peer = { host: '10.0.0.2', port: 1 };
    const { signal } = new AbortController();
    for await (const answer of method.serve(requests, { metadata: {}, peer, certifiedPeer: () => undefined, signal })) {
      assert.match(fromBinary(linkProto.ProvisionResponseSchema, answer).nodeAddressPrefix, /^fd.*\/64$/);
    }
  });
});
