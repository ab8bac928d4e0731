import { ancestorOf, type Device, isYes, parseUnsigned } from './device.ts';
import { portPart } from './interface-device.ts';
import { type NamingScheme, SCHEME } from './naming-scheme.ts';

/** Names without their prefix, by how they came about. */
export interface DeviceNames {
  readonly onboard?: string;
  /** What the board calls it. Not used as a name. */
  readonly label?: string;
  readonly path?: string;
  readonly slot?: string;
}

/** What one computation reads. */
export interface NamingInput {
  readonly net: Device;
  readonly scheme: NamingScheme;
  /** Numbers and addresses of the hotplug slots, lowest number first; read when they are needed. */
  readonly slots: () => readonly PciSlot[];
}

export interface PciSlot {
  readonly folder: string;
  readonly number: number;
  /** `0000:03:00`, without the function. */
  readonly address: string;
}

/** Names of an interface that is a function of a PCI device. Virtual functions are named after the physical one. */
export function pciNames(device: Device, input: NamingInput): DeviceNames {
  const physical = physicalFunction(device);
  if (physical !== undefined) {
    const { onboard, path, slot } = ownNames(physical.device, input);
    return named({ onboard, path, slot }, `v${physical.number}`);
  }
  const label = device.attribute('label') ?? '';
  return { ...named(ownNames(device, input)), ...(label === '' ? {} : { label }) };
}

/** Path and slot of the PCI device that something else hangs on. */
export function pciHostNames(host: Device, input: NamingInput, suffix: string): DeviceNames {
  const { path, slot } = ownNames(host, input);
  return named({ path, slot }, suffix);
}

interface Parts {
  readonly onboard?: string | undefined;
  readonly path?: string | undefined;
  readonly slot?: string | undefined;
}

function named({ onboard, path, slot }: Parts, suffix = ''): DeviceNames {
  return {
    ...(onboard === undefined ? {} : { onboard: onboard + suffix }),
    ...(path === undefined ? {} : { path: path + suffix }),
    ...(slot === undefined ? {} : { slot: slot + suffix }),
  };
}

function ownNames(device: Device, input: NamingInput): Parts {
  const port = portPart(input.net, input.scheme);
  if (port === undefined) return {};
  const index = onboardIndex(device, input.scheme);
  const onboard = index === undefined ? undefined : `o${index}${port}`;
  const address = pciAddress(device);
  if (address === undefined) return { onboard };
  const { domain, bus, slot, func } = address;
  const domainPart = domain > 0 ? `P${domain}` : '';
  const end = `${func > 0 || hasManyFunctions(device) ? `f${func}` : ''}${port}`;
  const path = `${domainPart}p${bus}s${slot}${end}`;
  const place = slotOf(device, input);
  if (place === undefined) return { onboard, path };
  return { onboard, path, slot: `${place.hasDomain ? domainPart : ''}s${place.number}${end}` };
}

const MAX_INDEX = 0xffff;
const MAX_INDEX_BEFORE = 0x3fff;

/** The firmware's number of an onboard device. A number that is out of range is none, whatever the other source says. */
function onboardIndex(device: Device, scheme: NamingScheme): number | undefined {
  const index = parseUnsigned(device.attribute('acpi_index')) ?? parseUnsigned(device.attribute('index'));
  const max = scheme >= SCHEME.wideIndex ? MAX_INDEX : MAX_INDEX_BEFORE;
  return index === undefined || index > max ? undefined : index;
}

function pciAddress(device: Device) {
  const match = /^([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)\.([0-9]+)/i.exec(device.name);
  if (match === null) return undefined;
  const [domain = 0, bus = 0, slot = 0] = match.slice(1, 4).map((text) => Number.parseInt(text, 16));
  const func = Number(match[4]);
  // With ARI, functions are counted on through the numbers of the devices.
  return { domain, bus, slot, func: isYes(device.attribute('ari_enabled')) ? func + 8 * slot : func };
}

const HEADER_TYPE = 0x0e;
const MULTI_FUNCTION = 0x80;

const hasManyFunctions = (device: Device): boolean =>
  ((device.bytes('config')?.[HEADER_TYPE] ?? 0) & MULTI_FUNCTION) !== 0;

/** Whether it is a bridge by its class. */
const isBridge = (device: Device): boolean => /^pci:.*sc04[^s]*$/.test(device.attribute('modalias') ?? '');

const parentOnPci = (device: Device): Device | undefined => ancestorOf(device, ({ subsystem }) => subsystem === 'pci');

interface SlotPlace {
  readonly number: number;
  readonly hasDomain: boolean;
}

function slotOf(device: Device, input: NamingInput): SlotPlace | undefined {
  const told = input.scheme >= SCHEME.firmwareSlot ? firmwareSlot(device) : undefined;
  return told === undefined ? hotplugSlot(device, input) : { number: told, hasDomain: true };
}

/** A bridge's own slot says nothing of a device with one function below it: others below it would have the same name. */
function firmwareSlot(device: Device): number | undefined {
  const own = slotNumber(device);
  if (own !== undefined) return own;
  const parent = parentOnPci(device);
  if (parent === undefined || (isBridge(parent) && !hasManyFunctions(device))) return undefined;
  return slotNumber(parent);
}

function slotNumber(device: Device): number | undefined {
  const number = parseUnsigned(device.attribute('firmware_node/sun'));
  return number === 0 ? undefined : number;
}

/** From the device upwards, the first that stands in a slot decides. */
function hotplugSlot(device: Device, { scheme, slots }: NamingInput): SlotPlace | undefined {
  for (let at: Device | undefined = device; at !== undefined; at = parentOnPci(at)) {
    const functionId = scheme >= SCHEME.wideIndex ? at.attribute('function_id') : undefined;
    if (functionId !== undefined) return s390Slot(functionId, slots());
    const { name } = at;
    const slot = slots().find(({ number, address }) => number > 0 && name.startsWith(address));
    if (slot === undefined) continue;
    return isBridge(at) && !countsForBridge(device, scheme) ? undefined : { number: slot.number, hasDomain: true };
  }
  return undefined;
}

const countsForBridge = (device: Device, scheme: NamingScheme): boolean =>
  scheme >= SCHEME.bridgeSlots && scheme < SCHEME.bridgeSlotsEnd && hasManyFunctions(device);

/** On s390 the folder of a slot is named after the function's number. */
function s390Slot(functionId: string, slots: readonly PciSlot[]): SlotPlace | undefined {
  const number = parseUnsigned(functionId);
  if (number === undefined || number === 0) return undefined;
  const folder = number.toString(16).padStart(8, '0');
  return slots.some((slot) => slot.folder === folder) ? { number, hasDomain: false } : undefined;
}

/** The physical function of a virtual one, and the virtual one's number there. */
function physicalFunction(device: Device): { readonly device: Device; readonly number: string } | undefined {
  const physical = device.linked('physfn');
  if (physical === undefined) return undefined;
  for (const name of physical.list('.')) {
    const number = /^virtfn([0-9]+)$/.exec(name)?.[1];
    if (number !== undefined && physical.linked(name)?.path === device.path) return { device: physical, number };
  }
  return undefined;
}
