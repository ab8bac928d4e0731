import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { DHCP_OPTION, type DhcpPacket, decodeDhcp, dhcpText, encodeDhcp, readDhcpText } from '@bloomery/wire';
import fc from 'fast-check';
import { planDhcpProxy } from './dhcp-proxy-plan.ts';
import { dhcpDestination } from './dhcp-reply-path.ts';

const settings = { serverAddress: '10.77.0.1', endpoint: { host: '10.77.0.1', port: 8081 } };

function packet(
  options: readonly (readonly [number, Uint8Array | string])[],
  over: Partial<DhcpPacket> = {},
): DhcpPacket {
  return {
    op: 1,
    htype: 1,
    hops: 0,
    xid: 1,
    secs: 0,
    flags: 0,
    ciaddr: '0.0.0.0',
    yiaddr: '0.0.0.0',
    siaddr: '0.0.0.0',
    giaddr: '0.0.0.0',
    chaddr: Uint8Array.of(0x52, 0x54, 0, 0, 0, 1),
    sname: '',
    file: '',
    options: new Map([
      [DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(1)],
      ...options.map(([code, value]) => [code, typeof value === 'string' ? dhcpText(value) : value] as const),
    ]),
    ...over,
  };
}
const arch = (n: number): readonly [number, Uint8Array] => [DHCP_OPTION.CLIENT_ARCH, Uint8Array.of(n >> 8, n & 0xff)];

describe('the DHCP proxy', () => {
  const cases: [name: string, request: DhcpPacket, port: 67 | 4011, file: string | undefined][] = [
    [
      'sends iPXE of any architecture to the script',
      packet([arch(10), [77, 'iPXE']]),
      67,
      'http://10.77.0.1:8081/boot.ipxe',
    ],
    ['knows a length-prefixed user class', packet([arch(0), [77, '\x04iPXE']]), 67, 'http://10.77.0.1:8081/boot.ipxe'],
    [
      'takes the architecture out of the vendor class',
      packet([[60, 'PXEClient:Arch:00007:UNDI:003016']]),
      67,
      'snp.efi',
    ],
    ['takes the first architecture that it has', packet([[93, Uint8Array.of(0, 1, 0, 11)]]), 67, 'snp-arm64.efi'],
    ['serves U-Boot over TFTP', packet([arch(21)]), 67, 'snp-arm64.efi'],
    ['serves U-Boot over HTTP', packet([arch(22)]), 67, 'http://10.77.0.1:8081/tftp/snp-arm64.efi'],
    ['leaves operating systems alone', packet([arch(0), [60, 'MSFT 5.0']]), 67, undefined],
    ['has nothing for Itanium', packet([arch(2)]), 67, undefined],
    ['has nothing for who has no hardware address', packet([arch(0)], { chaddr: new Uint8Array() }), 67, undefined],
    ['answers requests on port 4011', packet([arch(0), [53, Uint8Array.of(3)]]), 4011, 'undionly.kpxe'],
    ['does not answer requests on port 67', packet([arch(0), [53, Uint8Array.of(3)]]), 67, undefined],
  ];
  for (const [name, request, port, file] of cases) {
    it(name, () => {
      const plan = planDhcpProxy(request, port, settings);
      assert.equal(plan.do === 'answer' ? plan.file : undefined, file);
    });
  }
  it('echoes the relay option last and keeps below the size that the client takes', () => {
    const plan = planDhcpProxy(packet([arch(7), [82, 'relay'], [57, Uint8Array.of(2, 64)]]), 67, settings);
    assert.ok(plan.do === 'answer');
    assert.equal([...plan.reply.options.keys()].at(-1), 82);
    assert.equal(plan.maxBytes, 548);
  });
  it('never gives an address and always names itself, whatever it is asked', () => {
    const base = encodeDhcp(packet([arch(7), [60, 'PXEClient:Arch:00007'], [77, 'iPXE'], [97, new Uint8Array(17)]]));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = base.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          const plan = planDhcpProxy(decodeDhcp(bytes), 67, settings);
          if (plan.do === 'drop') return;
          const reply = decodeDhcp(encodeDhcp(plan.reply, { maxBytes: plan.maxBytes }));
          assert.equal(reply.yiaddr, '0.0.0.0');
          assert.equal(reply.siaddr, '10.77.0.1');
          assert.ok(readDhcpText(reply.options.get(67) ?? new Uint8Array()).length > 0);
        } catch (error) {
          assert.ok(isBloomeryError(error), String(error));
        }
      }),
      { numRuns: 5_000, interruptAfterTimeLimit: 5_000 },
    );
  });
});

describe('the way back to a client', () => {
  const none = { address: '0.0.0.0', port: 68 };
  const cases: [
    name: string,
    over: Partial<DhcpPacket>,
    from: { address: string; port: number },
    port: 67 | 4011,
    want: string,
  ][] = [
    ['is broadcast while it has no address', {}, none, 67, '255.255.255.255:68'],
    ['leads through its relay', { giaddr: '10.1.0.1' }, { address: '10.1.0.1', port: 67 }, 67, '10.1.0.1:67'],
    ['is its address when it has one', { ciaddr: '10.0.0.9' }, none, 67, '10.0.0.9:68'],
    [
      'is where it asked port 4011 from',
      { ciaddr: '10.0.0.9' },
      { address: '10.0.0.9', port: 4011 },
      4011,
      '10.0.0.9:4011',
    ],
    [
      'is where a client with a port of its own asked from',
      {},
      { address: '10.0.0.9', port: 5000 },
      67,
      '10.0.0.9:5000',
    ],
    ['is broadcast for a stale source address', {}, { address: '10.0.0.9', port: 68 }, 67, '255.255.255.255:68'],
  ];
  for (const [name, over, from, port, want] of cases) {
    it(name, () => {
      const { host, port: to } = dhcpDestination(packet([], over), from, port);
      assert.equal(`${host}:${to}`, want);
    });
  }
});
