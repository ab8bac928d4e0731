import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dhcp4ClientId, dhcp6ClientId } from './client-identifier.ts';

const ethernet = { type: 1, hardwareAddr: '52:54:00:00:00:01' };
const infiniband = { type: 32, hardwareAddr: '80:00:02:08:fe:80:00:00:00:00:00:00:00:11:22:33:44:55:66:77' };
const none = { clientIdentifier: 'none', duidRawHex: '' } as const;
const mac = { clientIdentifier: 'mac', duidRawHex: '' } as const;
const duid = (duidRawHex: string) => ({ clientIdentifier: 'duid', duidRawHex }) as const;
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

describe('client identifiers', () => {
  const cases: [
    name: string,
    four: string | undefined,
    six: string,
    want: ReturnType<typeof duid> | typeof mac | typeof none,
  ][] = [
    ['none of DHCPv4; DHCPv6 cannot be without', undefined, '00030001525400000001', none],
    ['by the address of the link', '01525400000001', '00030001525400000001', mac],
    ['by a DUID as it is written', '0004aabb', '0004aabb', duid('00:04:AA:BB')],
    ['a DUID that is none is as if it were not there', undefined, '00030001525400000001', duid('zz')],
    ['a DUID of one byte is none', undefined, '00030001525400000001', duid('01')],
  ];
  for (const [name, four, six, identifier] of cases) {
    it(name, () => {
      assert.equal(hex(dhcp4ClientId(identifier, ethernet)), four);
      assert.equal(hex(dhcp6ClientId(identifier, ethernet)), six);
    });
  }
  it('links whose address has no room in the message always have one', () => {
    assert.match(hex(dhcp4ClientId(none, infiniband)) ?? '', /^2080000208.*7$/);
    assert.match(hex(dhcp6ClientId(none, infiniband)) ?? '', /^0003002080000208/);
  });
});
