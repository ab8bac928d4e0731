import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import {
  decodeChannels,
  decodeFeatures,
  decodeLinkInfo,
  decodeLinkModes,
  decodeLinkState,
  decodeRings,
  decodeWol,
  ethtoolLinkIndex,
} from './ethtool.ts';
import { decodeFamily } from './genl.ts';
import { WireguardDumpReader } from './genl-wireguard.ts';
import { NetlinkBytes } from './netlink-bytes.ts';
import { decodeNetlinkVerdict, eachNetlinkMessage, type NetlinkMessage } from './netlink-message.ts';
import { decodeRtnlAddress } from './rtnl-address.ts';
import { decodeRtnlLink } from './rtnl-link.ts';
import { decodeNextHopId } from './rtnl-next-hop.ts';
import { decodeRtnlPromotion } from './rtnl-promotion.ts';
import { decodeRtnlRoute } from './rtnl-route.ts';
import { decodeRtnlRule } from './rtnl-rule.ts';
import { decodeReal, REAL_MESSAGES, readMessage, realBytes } from './testing/real-messages.ts';

const link = (parts: object) => ({
  queueDisc: 'noqueue',
  permanentAddr: '',
  broadcastAddr: 'ff:ff:ff:ff:ff:ff',
  mtu: 1500,
  type: 1,
  flags: 0x11043,
  masterIndex: 0,
  linkIndex: 0,
  operationalState: 6,
  slaveKind: '',
  alias: '',
  altNames: [],
  ...parts,
});

describe('links as the kernel tells them', () => {
  const cases: [name: string, want: object | undefined][] = [
    [
      'link#0',
      {
        ...link({ index: 1, name: 'lo', type: 772, flags: 8, mtu: 65_536, queueDisc: 'noop', operationalState: 2 }),
        ...{ hardwareAddr: '00:00:00:00:00:00', broadcastAddr: '00:00:00:00:00:00', kind: '' },
      },
    ],
    [
      'link#1',
      link({
        ...{ index: 2, name: 'v1', kind: 'veth', hardwareAddr: '02:00:00:00:00:02', linkIndex: 3 },
        ...{ masterIndex: 4, slaveKind: 'bridge' },
      }),
    ],
    [
      'link#2',
      link({
        ...{ index: 3, name: 'v0', kind: 'veth', hardwareAddr: '02:00:00:00:00:01', linkIndex: 2 },
        ...{ alias: 'up.link', altNames: ['enp1s0'] },
      }),
    ],
    [
      'link#3',
      link({
        ...{ index: 4, name: 'br0', kind: 'bridge', hardwareAddr: '02:00:00:00:00:03', flags: 0x1003 },
        ...{ operationalState: 2, bridge: { stp: true, vlanFiltering: false } },
      }),
    ],
  ];
  for (const [name, want] of cases)
    it(`reads ${name}`, () => assert.deepEqual({ ...decodeReal(name, decodeRtnlLink) }, want));

  it('leaves out what only tells of a port of a bridge', () => {
    const bytes = realBytes('link#1');
    bytes.writeUInt8(7, 16);
    assert.equal(
      readMessage(bytes, (input, { from, to }) => decodeRtnlLink(input, from, to)),
      undefined,
    );
  });
});

describe('addresses as the kernel tells them', () => {
  const address = (parts: object) => ({
    ...{ linkIndex: 3, family: 2, local: '', broadcast: '', anycast: '', multicast: '' },
    ...{ scope: 0, flags: 0x80, priority: 0 },
    ...parts,
  });
  const cases: [name: string, want: object][] = [
    ['addr#0', address({ address: '10.0.0.5/24', local: '10.0.0.5', broadcast: '10.0.0.255' })],
    ['addr#1', address({ address: '10.1.0.1/32', local: '10.1.0.1', peer: '10.1.0.2' })],
    ['addr#2', address({ address: 'fe80::ff:fe00:2/64', linkIndex: 2, family: 10, scope: 253, flags: 0xc0 })],
    ['addr#3', address({ address: 'fd00::5/64', family: 10, flags: 0x82 })],
  ];
  for (const [name, want] of cases)
    it(`reads ${name}`, () => assert.deepEqual(decodeReal(name, decodeRtnlAddress), want));
});

describe('routes as the kernel tells them', () => {
  const route = (parts: object) => ({
    ...{ family: 2, source: '', gateway: '', outLinkIndex: 3, table: 254, priority: 0, scope: 0, type: 1 },
    ...{ flags: 0, protocol: 2, mtu: 0 },
    ...parts,
  });
  const cases: [name: string, want: object][] = [
    [
      'route4#0',
      route({
        ...{ destination: '10.9.0.0/16', source: '10.0.0.5', gateway: '10.0.0.1', table: 1000 },
        ...{ priority: 7, protocol: 4, mtu: 1300 },
      }),
    ],
    ['route4#1', route({ destination: '10.0.0.0/24', source: '10.0.0.5', scope: 253 })],
    [
      'route4#3',
      route({
        ...{ destination: '10.20.0.0/16', outLinkIndex: 0, protocol: 3 },
        nextHops: [
          { gateway: '10.0.0.2', linkIndex: 3, weight: 3 },
          { gateway: '10.0.0.3', linkIndex: 3, weight: 1 },
        ],
      }),
    ],
    ['route4#4', route({ destination: '10.30.0.0/16', outLinkIndex: 0, protocol: 3, type: 6 })],
    ['route4#5', route({ destination: '10.0.0.5/32', source: '10.0.0.5', table: 255, scope: 254, type: 2 })],
    ['route6#0', route({ family: 10, destination: 'fd00::/64', priority: 256 })],
    ['route6#3', route({ family: 10, destination: '', gateway: 'fd00::1', priority: 1024, protocol: 3 })],
  ];
  for (const [name, want] of cases)
    it(`reads ${name}`, () => assert.deepEqual(decodeReal(name, decodeRtnlRoute), want));

  it('leaves out what the kernel only remembers of one destination', () => {
    const bytes = realBytes('route6#0');
    bytes.writeUInt32LE(0x200, 24);
    assert.equal(
      readMessage(bytes, (input, { from, to }) => decodeRtnlRoute(input, from, to)),
      undefined,
    );
  });
});

describe('rules as the kernel tells them', () => {
  const rule = (parts: object) => ({
    ...{ family: 2, priority: 0, source: '', destination: '', table: 255, action: 1 },
    ...{ iifName: '', oifName: '', fwMark: 0, fwMask: 0 },
    ...parts,
  });
  const cases: [name: string, want: object | undefined][] = [
    ['rule#0', rule({})],
    [
      'rule#1',
      rule({
        ...{ priority: 500, source: '10.0.0.0/8', destination: '10.1.0.0/16', table: 1000 },
        ...{ iifName: 'v0', fwMark: 16, fwMask: 255 },
      }),
    ],
    ['rule#2', rule({ priority: 32_766, table: 254 })],
    // Of multicast routing: no family of ours.
    ['rule#4', undefined],
    ['rule#7', rule({ family: 10, priority: 32_766, table: 254 })],
  ];
  for (const [name, want] of cases) it(`reads ${name}`, () => assert.deepEqual(decodeReal(name, decodeRtnlRule), want));
});

describe('what the kernel says at the end', () => {
  it('is an error number with its own words', () =>
    assert.deepEqual(readMessage(realBytes('err#0'), decodeNetlinkVerdict), {
      errno: 101,
      words: 'Nexthop has invalid gateway',
    }));

  it('is nothing when all is well', () =>
    assert.deepEqual(readMessage(realBytes('done'), decodeNetlinkVerdict), { errno: 0, words: '' }));

  it('is also read when the whole request stands in it', () => {
    const body = Buffer.concat([Buffer.alloc(4), Buffer.from([20, 0, 0, 0]), Buffer.alloc(16)]);
    body.writeInt32LE(-17, 0);
    const words = Buffer.from('busy\0\0\0\0');
    const attribute = Buffer.concat([Buffer.from([9, 0, 1, 0]), words]);
    const head = Buffer.alloc(16);
    head.writeUInt32LE(16 + body.length + attribute.length, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(0x200, 6);
    assert.deepEqual(readMessage(Buffer.concat([head, body, attribute]), decodeNetlinkVerdict), {
      errno: 17,
      words: 'busy',
    });
  });
});

describe('ethtool as the kernel tells it', () => {
  it('has a number and groups', () => {
    const family = decodeReal('fam#0', decodeFamily);
    assert.deepEqual([family.id, [...family.groups]], [21, [['monitor', 6]]]);
  });

  it('tells of a link', () => {
    assert.equal(decodeReal('eth6#0', ethtoolLinkIndex), 3);
    assert.equal(decodeReal('eth6#0', decodeLinkState), true);
    assert.equal(decodeReal('eth2#0', decodeLinkInfo), 0);
    assert.deepEqual(decodeReal('eth4#0', decodeLinkModes), { speedMbit: 10_000, duplex: 1, ours: [], peer: [] });
  });

  it('tells of channels', () =>
    assert.deepEqual(decodeReal('eth17#0', decodeChannels), { 'rx-max': 2, 'tx-max': 2, rx: 1, tx: 1 }));

  it('tells of features, but for those that have no name', () => {
    const features = decodeReal('eth11#0', decodeFeatures);
    assert.deepEqual(
      features.filter(({ name }) => ['tx-checksum-ip-generic', 'rx-lro', 'rx-gro'].includes(name)),
      [
        { name: 'tx-checksum-ip-generic', on: true, fixed: false, wanted: true },
        { name: 'rx-gro', on: false, fixed: false, wanted: false },
        { name: 'rx-lro', on: false, fixed: true, wanted: false },
      ],
    );
    assert.equal(
      features.some(({ name }) => name === ''),
      false,
    );
  });
});

/** Every decoder on every message: whatever comes, it is read or refused. */
function readEverything(bytes: Uint8Array): void {
  const input = new NetlinkBytes(bytes);
  const all = (message: NetlinkMessage): void => {
    const { from, to } = message;
    const decoders = [decodeRtnlLink, decodeRtnlAddress, decodeRtnlRoute, decodeRtnlRule, decodeFamily].concat([
      ...([decodeLinkState, decodeLinkInfo, decodeLinkModes, decodeRings, decodeChannels] as never[]),
      ...([decodeFeatures, decodeWol, ethtoolLinkIndex, decodeNextHopId, decodeRtnlPromotion] as never[]),
    ]);
    for (const decode of decoders) refusedAtMost(() => decode(input, from, to));
    refusedAtMost(() => decodeNetlinkVerdict(input, message));
    refusedAtMost(() => new WireguardDumpReader().take(input, from, to));
  };
  refusedAtMost(() => eachNetlinkMessage(input, all));
}

function refusedAtMost(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    assert.ok(
      isBloomeryError(error, 'BLM_WIRE_TRUNCATED') || isBloomeryError(error, 'BLM_WIRE_MALFORMED'),
      String(error),
    );
  }
}

describe('a next hop with a number of its own', () => {
  const message = (...attributes: readonly number[]): Buffer =>
    Buffer.from([
      16 + 8 + attributes.length,
      0,
      0,
      0,
      105,
      0,
      ...Array(10).fill(0),
      2,
      ...Array(7).fill(0),
      ...attributes,
    ]);
  const read = (bytes: Uint8Array): number =>
    readMessage(bytes, (input, { from, to }) => decodeNextHopId(input, from, to));

  it('tells its number', () => assert.equal(read(message(4, 0, 5, 0, 8, 0, 1, 0, 7, 1, 0, 0)), 263));

  it('has none when it does not say', () => assert.equal(read(message()), 0));

  it('is refused when it ends early', () =>
    assert.throws(() => read(Buffer.from([20, 0, 0, 0, 105, ...Array(15).fill(0)])), { code: 'BLM_WIRE_TRUNCATED' }));
});

describe('bytes that are no messages', () => {
  it('are read or refused wherever a message is cut', () => {
    for (const name of REAL_MESSAGES) {
      const bytes = realBytes(name);
      const step = bytes.length > 1000 ? 37 : 1;
      for (let end = 0; end < bytes.length; end += step) {
        readEverything(bytes.subarray(0, end));
        // With a length that fits, so that the decoders come to the end.
        const cut = Buffer.from(bytes.subarray(0, end));
        if (end >= 16) cut.writeUInt32LE(end, 0);
        readEverything(cut);
      }
    }
  });

  it('are read or refused whatever is changed in them', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom(...REAL_MESSAGES),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        (name, changes) => {
          const bytes = realBytes(name);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          readEverything(bytes);
        },
      ),
      { numRuns: 10_000, interruptAfterTimeLimit: 10_000 },
    );
  });

  it('are read or refused when they are random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readEverything(bytes)),
      { numRuns: 5_000, interruptAfterTimeLimit: 5_000 },
    );
  });
});
