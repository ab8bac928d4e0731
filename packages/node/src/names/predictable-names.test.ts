import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { alternativeNames, chooseName } from './choose-name.ts';
import { parseUnsigned } from './device.ts';
import { parseNamingScheme } from './naming-scheme.ts';
import { type PredictableNames, predictableNames } from './predictable-names.ts';
import { fakeSysfs } from './testing/fake-sysfs.ts';
import { type Attributes, type Hardware, hardware } from './testing/hardware.ts';
import { anySysfs } from './testing/sysfs-arbitrary.ts';

const CARD = 'devices/pci0000:00/0000:03:00.0';
const BRIDGE = 'devices/pci0000:00/0000:00:1c.0';
const BEHIND = `${BRIDGE}/0000:03:00.0`;
const USB = 'devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0';
const IS_BRIDGE = 'pci:v00008086d00001901sv00008086sd00002222bc06sc04i00';
const NODE = 'firmware/devicetree/base/soc/ethernet@1';

const namesOf = (machine: Hardware, scheme: string): PredictableNames => {
  const name = Object.keys(machine.interfaces)[0] ?? '';
  return predictableNames(fakeSysfs(hardware(machine)), `class/net/${name}`, parseNamingScheme(scheme));
};
/** Names but the one of the address. */
const placesOf = (machine: Hardware, scheme: string) => {
  const { mac: _mac, ...places } = namesOf(machine, scheme);
  return places;
};
const on = (path: string, kind: string, attributes: Attributes = {}): Hardware => ({
  devices: { [path]: kind },
  interfaces: { eth0: { on: path, attributes } },
});
const card = (files: Readonly<Record<string, string>>, attributes: Attributes = {}): Hardware => ({
  ...on(CARD, 'pci', attributes),
  files: Object.fromEntries(Object.entries(files).map(([name, value]) => [`${CARD}/${name}`, value])),
});
const behind = (files: Readonly<Record<string, string>>, isMulti: boolean): Hardware => ({
  devices: { [BRIDGE]: 'pci', [BEHIND]: 'pci' },
  files,
  multiFunction: isMulti ? [BEHIND] : [],
  interfaces: { eth0: { on: BEHIND } },
});
const usb = (devices: Hardware['devices'], path = USB): Hardware => ({ devices, interfaces: { eth0: { on: path } } });
const virtual = (link: string, vf: Readonly<Record<string, string>> = {}): Hardware => ({
  devices: { [CARD]: 'pci', [BEHIND]: 'pci' },
  multiFunction: [CARD],
  files: { [`${CARD}/acpi_index`]: '4', [`${CARD}/label`]: 'L', ...vf },
  links: { [`${BEHIND}/physfn`]: CARD, [`${CARD}/${link}`]: BEHIND },
  interfaces: { eth0: { on: BEHIND } },
});
const tree = (aliases: Readonly<Record<string, string>>, at = 'devices/platform/soc'): Hardware => ({
  ...on('devices/platform/soc', 'platform'),
  links: { [`${at}/of_node`]: NODE },
  files: {
    [`${NODE}/name`]: 'ethernet',
    ...Object.fromEntries(
      Object.entries(aliases).map(([name, value]) => [`firmware/devicetree/base/aliases/${name}`, value]),
    ),
  },
});
const SOC = '/soc/ethernet@1';
const below = (path: string, kind: string): Hardware => ({
  devices: { [path]: kind, [`${path}/sub.0`]: kind },
  interfaces: { eth0: { on: `${path}/sub.0` } },
});
const radio = ({ interfaces, ...rest }: Hardware): Hardware => ({
  ...rest,
  interfaces: Object.fromEntries(
    Object.entries(interfaces).map(([name, one]) => [
      name,
      { ...one, attributes: { ...one.attributes, uevent: `DEVTYPE=wlan\nINTERFACE=${name}\nIFINDEX=2` } },
    ]),
  ),
});

// What systemd 262 answers for the same trees; names.peer.test.ts asks the installed one for more.
const cases: [name: string, machine: Hardware, wanted: Readonly<Record<string, PredictableNames>>][] = [
  [
    'the slot that the firmware tells counts from v257 on',
    card({ 'firmware_node/sun': '3' }),
    { v255: { path: 'enp3s0' }, v257: { path: 'enp3s0', slot: 'ens3' } },
  ],
  ['a slot number 0 of the firmware is none', card({ 'firmware_node/sun': '0' }), { v257: { path: 'enp3s0' } }],
  [
    'the firmware slot of a bridge is none of a device with one function',
    behind({ [`${BRIDGE}/firmware_node/sun`]: '7', [`${BRIDGE}/modalias`]: IS_BRIDGE }, false),
    { v257: { path: 'enp3s0' } },
  ],
  [
    'the firmware slot of a bridge is that of a device with several functions',
    behind({ [`${BRIDGE}/firmware_node/sun`]: '7', [`${BRIDGE}/modalias`]: IS_BRIDGE }, true),
    { v255: { path: 'enp3s0f0' }, v257: { path: 'enp3s0f0', slot: 'ens7f0' } },
  ],
  [
    'a hotplug slot of a bridge counts for several functions in v251 to v254',
    behind({ 'bus/pci/slots/4/address': '0000:00:1c', [`${BRIDGE}/modalias`]: IS_BRIDGE }, true),
    {
      v250: { path: 'enp3s0f0' },
      v251: { path: 'enp3s0f0', slot: 'ens4f0' },
      v254: { path: 'enp3s0f0', slot: 'ens4f0' },
      v255: { path: 'enp3s0f0' },
    },
  ],
  [
    'a hotplug slot of what is no bridge counts for what is below',
    behind({ 'bus/pci/slots/4/address': '0000:00:1c' }, false),
    { v257: { path: 'enp3s0', slot: 'ens4' } },
  ],
  [
    'the slot of a function of s390 is its number, without the domain',
    {
      ...on('devices/pci0001:00/0001:00:00.0', 'pci'),
      files: {
        'devices/pci0001:00/0001:00:00.0/function_id': '0x00000102',
        'bus/pci/slots/00000102/address': '0001:00:00',
      },
    },
    { v252: { path: 'enP1p0s0', slot: 'ens258' } },
  ],
  [
    'a function of s390 without a slot of its own has none',
    card({ function_id: '0x5', '../../../bus/pci/slots/7/address': '0000:03:00' }),
    { v252: { path: 'enp3s0' } },
  ],
  ['numbers are read as C reads them', card({ acpi_index: '0x10' }), { v257: { onboard: 'eno16', path: 'enp3s0' } }],
  ['number 0 is one', card({ acpi_index: '0', index: '7' }), { v257: { onboard: 'eno0', path: 'enp3s0' } }],
  [
    'rubbish leaves the other number',
    card({ acpi_index: 'x', index: '7' }),
    { v257: { onboard: 'eno7', path: 'enp3s0' } },
  ],
  ['a number too large leaves none', card({ acpi_index: '65536', index: '7' }), { v257: { path: 'enp3s0' } }],
  [
    'numbers of more than 14 bits count from v249 on',
    card({ acpi_index: '16384' }),
    { v247: { path: 'enp3s0' }, v249: { onboard: 'eno16384', path: 'enp3s0' } },
  ],
  ['a label alone is told', card({ label: 'LAN 1' }), { v257: { label: 'LAN 1', path: 'enp3s0' } }],
  [
    'a representor is r and its number from v254 on',
    card({}, { phys_port_name: 'pf0vf3' }),
    { v253: { path: 'enp3s0npf0vf3' }, v254: { path: 'enp3s0r3' } },
  ],
  ['a port that cannot be told leaves no place', card({ acpi_index: '1' }, { dev_port: undefined }), { v257: {} }],
  [
    'the port’s name needs no number',
    card({}, { dev_port: undefined, phys_port_name: 'p1' }),
    { v257: { path: 'enp3s0np1' } },
  ],
  [
    'a virtual function is named after the physical one',
    virtual('virtfn12'),
    { v257: { onboard: 'eno4v12', path: 'enp3s0f0v12' } },
  ],
  ['a virtual function without a number is named after itself', virtual('virtfnx'), { v257: { path: 'enp3s0' } }],
  [
    'a USB adapter without a PCI host has a name from v253 on',
    usb({ 'devices/soc/usb1/1-1.4:2.3': 'usb:usb_interface' }, 'devices/soc/usb1/1-1.4:2.3'),
    { v252: {}, v253: { path: 'enu1u4c2i3' } },
  ],
  [
    'a USB adapter has no onboard name of its host, but its slot',
    {
      ...usb({ 'devices/pci0000:00/0000:00:14.0': 'pci', [USB]: 'usb:usb_interface' }),
      files: {
        'devices/pci0000:00/0000:00:14.0/acpi_index': '3',
        'bus/pci/slots/5/address': '0000:00:14',
      },
    },
    { v257: { path: 'enp0s20u1', slot: 'ens5u1' } },
  ],
  ['a USB device that is no interface has no place', usb({ [USB]: 'usb:usb_device' }), { v257: {} }],
  [
    'the second core of a Broadcom chip has a number',
    usb({ [CARD]: 'pci', [`${CARD}/bcma0:1`]: 'bcma' }, `${CARD}/bcma0:1`),
    { v257: { path: 'enp3s0b1' } },
  ],
  [
    'the first core of a Broadcom chip has none',
    usb({ [CARD]: 'pci', [`${CARD}/bcma0:0`]: 'bcma' }, `${CARD}/bcma0:0`),
    { v257: { path: 'enp3s0' } },
  ],
  ['a channel group', on('devices/qeth/0.0.f5f0', 'ccwgroup'), { v257: { path: 'encf5f0' } }],
  [
    'a channel group of another subchannel set',
    on('devices/qeth/0.1.0600', 'ccwgroup'),
    { v257: { path: 'enc1.0600' } },
  ],
  ['a channel device number 0', on('devices/css0/0.0.0000', 'ccw'), { v257: { path: 'enc0' } }],
  ['a bus id of another length', on('devices/qeth/0.0.1', 'ccwgroup'), { v257: {} }],
  ['a virtual device of POWER', on('devices/vio/3000000a', 'vio'), { v257: { slot: 'env10' } }],
  ['a virtual device of POWER with a short address', on('devices/vio/3000000', 'vio'), { v257: {} }],
  ['a PNP id', on('devices/platform/APM0D05:01', 'platform'), { v257: { path: 'enaapmd05i1' } }],
  ['an ACPI id with digits', on('devices/platform/1BCD1234:0a', 'platform'), { v257: { path: 'ena1bcd1234i10' } }],
  ['an id in lower case is none', on('devices/platform/hisi00c2:00', 'platform'), { v257: {} }],
  [
    'a simulated device with a port',
    on('devices/netdevsim10', 'netdevsim', { phys_port_name: 'p1' }),
    { v257: { path: 'eni10np1' } },
  ],
  ['a simulated device without a port', on('devices/netdevsim10', 'netdevsim'), { v257: {} }],
  ['Xen from v250 on', on('devices/vif-3', 'xen'), { v249: {}, v250: { slot: 'enX3' } }],
  ['Xen with a zero in front', on('devices/vif-03', 'xen'), { v257: {} }],
  ['an alias from v252 on', tree({ ethernet1: SOC }), { v251: {}, v252: { onboard: 'end1' } }],
  ['an alias with a NUL at its end', tree({ ethernet1: `${SOC}\0` }), { v252: { onboard: 'end1' } }],
  ['an alias without a number', tree({ ethernet: SOC }), { v252: { onboard: 'end0' } }],
  ['two aliases for number 0', tree({ ethernet: SOC, ethernet0: SOC }), { v252: {} }],
  ['an alias of another device', tree({ ethernet1: '/soc/usb@1' }), { v252: {} }],
  [
    'an alias of the interface itself counts from v256 on',
    tree({ ethernet1: SOC }, 'devices/platform/soc/net/eth0'),
    { v255: {}, v257: { onboard: 'end1' } },
  ],
  ['an alias whose number is octal', tree({ ethernet010: SOC }), { v252: { onboard: 'end8' } }],
  ['an alias of a radio is none of a wire', tree({ wifi1: SOC }), { v260: {} }],
  [
    'a radio has the aliases of radios from v259 on, then those of wires',
    radio(tree({ wifi1: SOC, ethernet0: SOC })),
    { v258: {}, v259: { onboard: 'wld1' } },
  ],
  ['a radio with an alias of wires only', radio(tree({ ethernet0: SOC })), { v258: {}, v259: { onboard: 'wld0' } }],
  ['two aliases of a radio for number 0', radio(tree({ wifi: SOC, wifi0: SOC })), { v259: {} }],
  ['a management controller from v260 on', card({}, { type: '290' }), { v259: {}, v260: { path: 'mcp3s0' } }],
  [
    'a device below the one that ACPI knows',
    below('devices/platform/HISI00C2:00', 'platform'),
    { v257: { path: 'enahisic2i0' } },
  ],
  ['a device below a virtual one of POWER', below('devices/vio/3000000a', 'vio'), { v257: { slot: 'env10' } }],
  ['a device below one of Xen', below('devices/vif-3', 'xen'), { v257: { slot: 'enX3' } }],
  ['a number of Xen that no program holds', on('devices/vif-4294967296', 'xen'), { v257: {} }],
  ['a label that is longer than a name may be', card({ label: 'x'.repeat(128) }), { v257: { path: 'enp3s0' } }],
  [
    'the port in dev_id counts nowhere',
    card({ acpi_index: '1' }, { type: '32', dev_id: '0x1' }),
    { v257: { onboard: 'ibo1', path: 'ibp3s0' } },
  ],
  ['an unknown bus', on('devices/foo', 'foo'), { v257: {} }],
];

describe('predictable names', () => {
  for (const [name, machine, wanted] of cases)
    for (const [scheme, want] of Object.entries(wanted))
      it(`${name} (${scheme})`, () => assert.deepEqual(placesOf(machine, scheme), want));

  const addresses: [name: string, attributes: Attributes, mac: string | undefined][] = [
    ['a burnt-in address', {}, 'enx525400123456'],
    ['a random address', { addr_assign_type: '1' }, undefined],
    ['an address of InfiniBand', { type: '32' }, undefined],
    ['an address of eight bytes', { address: '02:00:00:00:00:00:00:01' }, undefined],
    ['rubbish', { address: 'rubbish' }, undefined],
    ['a SLIP line', { type: '256' }, 'slx525400123456'],
    ['a tunnel', { type: '776' }, undefined],
    ['a VLAN', { iflink: '9' }, undefined],
  ];
  for (const [name, attributes, mac] of addresses)
    it(`from ${name}: ${mac ?? 'no name of the address'}`, () =>
      assert.equal(namesOf(card({}, attributes), 'v257').mac, mac));

  it('an interface that is gone has none', () =>
    assert.deepEqual(predictableNames(fakeSysfs(hardware(card({}))), 'class/net/eth9'), {}));

  it('whatever sysfs holds, there is an answer, and none is too long', () => {
    fc.assert(
      fc.property(anySysfs, fc.string({ maxLength: 300 }), ({ tree: { files, ...rest }, syspath }, rubbish) => {
        const damaged = Object.fromEntries(
          Object.entries(files).map(([path, value], i) => [path, i % 5 === rubbish.length % 5 ? rubbish : value]),
        );
        for (const some of [files, damaged]) {
          const { label: _label, ...names } = predictableNames(fakeSysfs({ files: some, ...rest }), syspath);
          for (const name of Object.values(names)) assert.ok(Buffer.byteLength(name) <= 127);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the choice of a name', () => {
  const names = { onboard: 'eno1', slot: 'ens5', path: 'enp3s0', mac: 'enx525400123456' };
  const choices: [name: string, names: PredictableNames, type: number | undefined, wanted: string | undefined][] = [
    ['the onboard name comes first', names, 1, 'eno1'],
    ['then the slot', { ...names, onboard: 'eno1-with-too-long-a-name' }, 1, 'ens5'],
    ['then the path', { path: 'enp3s0', mac: 'enx525400123456' }, 1, 'enp3s0'],
    ['then the address', { path: 'enp129s0f1np123456', mac: 'enx525400123456' }, 1, 'enx525400123456'],
    ['a kernel that does not tell changes nothing', names, undefined, 'eno1'],
    ['a name that somebody gave stays', names, 3, undefined],
    ['a name that was changed stays', names, 4, undefined],
    ['a name that the kernel calls predictable stays', names, 2, undefined],
    ['a name that no kernel takes is none', { onboard: 'eno1np:0', slot: 'ens 5', path: 'en/0' }, 1, undefined],
    ['without names it stays', {}, 1, undefined],
  ];
  for (const [name, candidates, type, wanted] of choices)
    it(name, () => {
      const choice = chooseName(candidates, type, true);
      assert.equal(choice.do === 'rename' ? choice.name : undefined, wanted);
    });

  it('net.ifnames=0 keeps all', () =>
    assert.deepEqual(chooseName(names, 1, false), { do: 'keep', reason: 'Disabled' }));
  it('the names that were not chosen are further names, also long ones', () =>
    assert.deepEqual(alternativeNames({ ...names, path: 'enp129s0f1np123456' }, 'eno1'), [
      'ens5',
      'enp129s0f1np123456',
      'enx525400123456',
    ]));
});

describe('reading schemes and numbers', () => {
  const schemes: [text: string, scheme: number | undefined][] = [
    ['v252', 252],
    ['v257', 257],
    ['latest', 257],
    ['v258', 258],
    ['v261', 260],
    ['v238', 247],
    ['252', undefined],
    ['', undefined],
  ];
  for (const [text, scheme] of schemes)
    it(`${text || 'nothing'} is ${scheme ?? 'no scheme'}`, () => assert.equal(parseNamingScheme(text), scheme));

  const numbers: [text: string | undefined, value: number | undefined][] = [
    ['0', 0],
    ['010', 8],
    ['0b11', 3],
    ['0o17', 15],
    ['+5', 5],
    [' 5', 5],
    ['4294967295', 4_294_967_295],
    ['4294967296', undefined],
    ['-1', undefined],
    ['5x', undefined],
    ['', undefined],
    [undefined, undefined],
  ];
  for (const [text, value] of numbers)
    it(`${JSON.stringify(text)} is ${value}`, () => assert.equal(parseUnsigned(text), value));
});
