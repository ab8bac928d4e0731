import fc from 'fast-check';
import type { SysfsTree } from './fake-sysfs.ts';

/** A tree, and where its one interface is. */
export interface SysfsCase {
  readonly tree: SysfsTree;
  readonly syspath: string;
}

type Files = Record<string, string | { readonly hex: string }>;
type Draft = { readonly files: Files; readonly links: Record<string, string> };
type Attributes = Readonly<Record<string, string | undefined>>;

const BRIDGE = 'pci:v00008086d00001901sv00008086sd00002222bc06sc04i00';
const CARD = 'pci:v00008086d000015B8sv00008086sd00002222bc02sc00i00';
const HEADER_BYTES = 64;

const number = fc.constantFrom('0', '1', '2', '7', '010', '0x10', '-1', '5x', '', '16383', '16384', '65535', '65536');
const sometimes = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });

const pciAttributes = fc.record({
  acpi_index: sometimes(number),
  index: sometimes(number),
  label: sometimes(fc.constantFrom('Onboard LAN', '')),
  ari_enabled: sometimes(fc.constantFrom('0', '1')),
  'firmware_node/sun': sometimes(fc.constantFrom('0', '3', '12', 'x')),
  function_id: fc.option(fc.constantFrom('0x00000102', '0x0', 'x'), { nil: undefined, freq: 9 }),
  modalias: sometimes(fc.constantFrom(BRIDGE, CARD)),
  multi: fc.boolean(),
});

const netAttributes = fc.record({
  type: fc.constantFrom('1', '1', '1', '1', '32', '256', '290', '772'),
  iflink: fc.constantFrom('2', '2', '2', '2', '2', '2', '3'),
  address: fc.constantFrom(
    '52:54:00:12:34:56',
    '52:54:00:12:34:56',
    '00:00:00:00:00:00',
    '80:00:00:48:fe:80',
    'rubbish',
  ),
  addr_assign_type: fc.constantFrom('0', '0', '0', '1', '3', 'x'),
  dev_port: fc.constantFrom<string | undefined>('0', '0', '0', '1', '17', 'x', undefined),
  phys_port_name: fc.constantFrom<string | undefined>(undefined, undefined, '', 'p0', 'pf0vf3', 'pf1', 's1p2'),
  devtype: fc.constantFrom('', '', '', 'wlan', 'wwan', 'bridge'),
});

const pciName = fc.constantFrom('0000:00:03.0', '0000:00:03.1', '0001:1a:1f.7', '10000:e1:00.0', '0000:00:1c.0');
const slots = fc.dictionary(
  fc.constantFrom('1', '5', '00000102', '0', 'x', '12'),
  fc.constantFrom('0000:00:03', '0000:03:00', '0000:00:1c', '0001:1a:1f', '0000:00:03.1'),
  { maxKeys: 1 },
);

/** What the interface hangs on, below the PCI device if there is one. */
const below = fc.constantFrom(
  [] as const,
  [] as const,
  [['virtio1', 'virtio', '']] as const,
  [
    ['usb1', 'usb', 'usb_device'],
    ['1-1', 'usb', 'usb_device'],
    ['1-1:1.0', 'usb', 'usb_interface'],
  ] as const,
  [['1-1.4.2:2.3', 'usb', 'usb_interface']] as const,
  [['bcma0:2', 'bcma', '']] as const,
  [['bcma0:0', 'bcma', '']] as const,
  [['foo', 'foo', '']] as const,
);

/** Devices without a PCI device above. */
const elsewhere = fc.constantFrom(
  ['devices/vif-3', 'xen'],
  ['devices/vif-03', 'xen'],
  ['devices/qeth/0.0.f5f0', 'ccwgroup'],
  ['devices/qeth/0.1.0600', 'ccwgroup'],
  ['devices/css0/0.0.0000', 'ccw'],
  ['devices/vio/3000000a', 'vio'],
  ['devices/vio/3000000', 'vio'],
  ['devices/platform/HISI00C2:0f', 'platform'],
  ['devices/platform/HISI00C2:0f/sub.0', 'platform'],
  ['devices/platform/APM0D05:01', 'platform'],
  ['devices/platform/hisi00c2:00', 'platform'],
  ['devices/platform/a.ethernet', 'platform'],
  ['devices/netdevsim10', 'netdevsim'],
  ['devices/virtual', ''],
) as fc.Arbitrary<readonly [path: string, subsystem: string]>;

const virtual = fc.constantFrom('none', 'none', 'none', 'virtfn2', 'virtfnx');

/** Trees of all kinds of network hardware, whole and damaged. */
export const anySysfs: fc.Arbitrary<SysfsCase> = fc
  .record({
    net: netAttributes,
    slots,
    above: fc.array(pciAttributes, { maxLength: 2 }),
    pci: fc.option(fc.record({ name: pciName, attributes: pciAttributes }), { nil: undefined, freq: 4 }),
    virtual,
    elsewhere,
    below,
    alias: sometimes(fc.constantFrom('ethernet', 'ethernet0', 'ethernet4', 'ethernetx', 'ethernet010', 'wifi1')),
  })
  .map(({ net, slots: slotAddresses, above, pci, virtual: function_, elsewhere: other, below: layers, alias }) => {
    const draft: Draft = { files: {}, links: {} };
    let path = 'devices/pci0000:00';
    if (pci === undefined) {
      path = other[0];
      addDevice(draft, path, other[1]);
    } else {
      above.forEach((attributes, i) => {
        path += `/0000:0${i}:1c.0`;
        addPci(draft, path, attributes);
      });
      const parent = path;
      path += `/${pci.name}`;
      addPci(draft, path, pci.attributes);
      if (function_ !== 'none') {
        const physical = `${parent}/0000:03:00.0`;
        addPci(draft, physical, pci.attributes);
        draft.links[`${path}/physfn`] = physical;
        draft.links[`${physical}/${function_}`] = path;
      }
    }
    for (const [name, subsystem, type] of layers) {
      path += `/${name}`;
      addDevice(draft, path, subsystem, type);
    }
    if (alias !== undefined) {
      draft.links[`${path}/of_node`] = 'firmware/devicetree/base/soc/ethernet@1';
      draft.files['firmware/devicetree/base/soc/ethernet@1/name'] = 'ethernet';
      draft.files[`firmware/devicetree/base/aliases/${alias}`] = '/soc/ethernet@1';
    }
    for (const [slot, address] of Object.entries(slotAddresses)) draft.files[`bus/pci/slots/${slot}/address`] = address;
    return { tree: { ...draft, dirs: ['bus/pci/slots', 'class/net'] }, syspath: addNet(draft, path, net) };
  });

function addNet({ files, links }: Draft, parent: string, { devtype, ...attributes }: Attributes): string {
  const path = `${parent}/net/eth0`;
  files[`${path}/uevent`] = `${devtype === '' ? '' : `DEVTYPE=${devtype}\n`}INTERFACE=eth0\nIFINDEX=2`;
  files[`${path}/ifindex`] = '2';
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) files[`${path}/${name}`] = value;
  links[`${path}/subsystem`] = 'class/net';
  links[`${path}/device`] = parent;
  links['class/net/eth0'] = path;
  return path;
}

function addPci(draft: Draft, path: string, { multi, ...attributes }: Attributes | { readonly multi: boolean }): void {
  const config = Buffer.alloc(HEADER_BYTES);
  config[0x0e] = multi === true ? 0x80 : 0;
  addDevice(draft, path, 'pci');
  draft.files[`${path}/config`] = { hex: config.toString('hex') };
  for (const [name, value] of Object.entries(attributes))
    if (typeof value === 'string') draft.files[`${path}/${name}`] = value;
}

function addDevice({ files, links }: Draft, path: string, subsystem: string, type = ''): void {
  files[`${path}/uevent`] = type === '' ? 'X=1' : `DEVTYPE=${type}\nX=1`;
  if (subsystem !== '') links[`${path}/subsystem`] = `bus/${subsystem}`;
}

/** Only trees that hardware may have: of which systemd thinks the same since years. */
export const soundSysfs: fc.Arbitrary<SysfsCase> = anySysfs.filter(({ tree: { files, links }, syspath }) => {
  const attribute = (name: string): unknown => files[`${syspath}/${name}`];
  const isRadio = /^DEVTYPE=/.test(String(attribute('uevent')));
  const isBelow = /\/(?:1-1|bcma)[^/]*\/net\/eth0$/.test(syspath);
  const isVirtual = Object.keys(links).some((path) => path.endsWith('/physfn'));
  return (
    /^[0-9]+$/.test(String(attribute('dev_port'))) &&
    (!isRadio || attribute('type') === '1') &&
    (!isVirtual || !isBelow) &&
    !/devices\/vio\/3000000\b|\/sub\.0\//.test(syspath) &&
    !Object.keys(files).some((path) => path.endsWith('/label')) &&
    !Object.entries(files).some(([path, value]) => /index$/.test(path) && !/^(?:0|[1-9][0-9]*)$/.test(String(value)))
  );
});
