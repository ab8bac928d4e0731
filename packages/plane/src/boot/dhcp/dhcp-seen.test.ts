import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import { ANNOTATIONS, type Server, server } from '@bloomery/model';
import { createServerNames } from '../../inventory/index.ts';
import { createDhcpSeen } from './dhcp-seen.ts';

const UUID = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const GUID = Buffer.from('821f126ba82411469d23fa1a5ba564f0', 'hex');

function serverOf(name: string, mac: string, annotations: Readonly<Record<string, string>> = {}): Server {
  const hardware = { network: { interfaces: [{ mac }] } };
  return {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name, annotations },
    spec: { accepted: true, hardware },
  };
}

it('the boot that is announced is that of the machine with this card, also where two share a UUID', () => {
  const cache = createObjectCache();
  cache.put(server, serverOf(UUID, '52:54:00:00:00:01'));
  cache.put(server, serverOf('derived', '52:54:00:00:00:02', { [ANNOTATIONS.reportedUuid]: UUID }));
  const expected: (string | undefined)[] = [];
  const stages: string[] = [];
  const onSeen = createDhcpSeen({
    cache,
    events: { record() {} },
    marks: { mark: ({ stage }) => stages.push(stage) > 0 },
    sessions: { expectSeen: (_mac, name) => expected.push(name) },
    serverName: createServerNames(cache),
  });
  for (const mac of ['52:54:00:00:00:01', '52:54:00:00:00:02'])
    onSeen({ kind: 'efi', arch: 7, mac, guid: GUID }, 'snp.efi', 67);
  assert.deepEqual(expected, [UUID, 'derived']);
  onSeen({ kind: 'efi', arch: 7, mac: '52:54:00:00:00:01', guid: GUID }, 'snp.efi', 4011);
  assert.deepEqual(stages, ['Discover', 'Offered', 'Discover', 'Offered', 'Requested']);
});
