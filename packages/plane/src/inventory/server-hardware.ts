import type { Server } from '@bloomery/model';
import { LABELS } from '@bloomery/model';
import { type agentProto, parseMac } from '@bloomery/wire';
import type { MachineIdentity } from './server-identity.ts';

/** Inventory of a Server as it is stored. */
export type Hardware = NonNullable<NonNullable<Server['spec']>['hardware']>;

/** Entries kept of each list; more are not believable. */
const MAX_ENTRIES = 1024;
const MAX_TEXT = 256;
const MAX_INT32 = 2 ** 31 - 1;
const GIB = 1024n ** 3n;
const STORAGE_TYPES: Readonly<Record<number, string>> = { 0: 'Unknown', 1: 'SSD', 2: 'HDD', 3: 'NVMe', 4: 'SD' };

/** Leaves zero values out, as Go's omitempty does; cuts texts, limits numbers to what the schema can hold. */
function given<T extends object>(fields: T): Partial<{ [K in keyof T]: Exclude<T[K], undefined> }> {
  const kept = Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined || value === '' || value === 0 || (Array.isArray(value) && value.length === 0)) return [];
    if (typeof value === 'string') return [[name, value.slice(0, MAX_TEXT).toWellFormed()]];
    return [[name, typeof value === 'number' && name !== 'size' ? Math.min(value, MAX_INT32) : value]];
  });
  return Object.fromEntries(kept) as Partial<{ [K in keyof T]: Exclude<T[K], undefined> }>;
}

/**
 * Map what an agent reports to Server.spec.hardware (boot.md §10). Zero values are left out; the counts of lists are those of
 * the lists, whatever the agent declared; lists end after 1024 entries, texts after 256 characters.
 */
export function hardwareFromAgent(reported: agentProto.HardwareInformation): Hardware {
  const { system, compute, memory, storage, network } = reported;
  const processors = (compute?.processors ?? []).slice(0, MAX_ENTRIES);
  const modules = (memory?.modules ?? []).slice(0, MAX_ENTRIES);
  const devices = (storage?.devices ?? []).slice(0, MAX_ENTRIES);
  const interfaces = (network?.interfaces ?? []).slice(0, MAX_ENTRIES);
  return {
    system: given({
      uuid: (system?.uuid ?? '').toLowerCase(),
      manufacturer: system?.manufacturer,
      productName: system?.productName,
      version: system?.version,
      serialNumber: system?.serialNumber,
      skuNumber: system?.skuNumber,
      family: system?.family,
    }),
    compute: given({
      totalCoreCount: compute?.totalCoreCount,
      totalThreadCount: compute?.totalThreadCount,
      processorCount: processors.length,
      processors: processors.map(({ manufacturer, productName, serialNumber, speed, coreCount, threadCount }) =>
        given({ manufacturer, productName, serialNumber, speed, coreCount, threadCount }),
      ),
    }),
    memory: given({
      totalSize: `${Math.floor((memory?.totalSize ?? 0) / 1024)} GB`,
      moduleCount: modules.length,
      modules: modules.map(({ manufacturer, productName, serialNumber, type, size, speed }) => ({
        ...given({ manufacturer, productName, serialNumber, type }),
        ...given({ size: Math.min(size, MAX_INT32), speed }),
      })),
    }),
    storage: given({
      totalSize: `${(storage?.totalSize ?? 0n) / GIB} GB`,
      deviceCount: devices.length,
      devices: devices.map(({ type, model, serial, size, name, deviceName, uuid, wwid }) =>
        given({
          type: STORAGE_TYPES[type] ?? 'Unknown',
          productName: model,
          serialNumber: serial,
          name,
          deviceName,
          uuid,
          wwid,
          size: size > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(size),
        }),
      ),
    }),
    network: given({
      interfaceCount: interfaces.length,
      interfaces: interfaces.map(({ index, name, flags, mtu, mac, addresses }) =>
        given({
          index,
          name,
          flags,
          mtu,
          mac,
          addresses: addresses.slice(0, MAX_ENTRIES).map((address) => address.slice(0, MAX_TEXT).toWellFormed()),
        }),
      ),
    }),
  };
}

/** What an agent's report says about who the machine is: interfaces by index, without null addresses. */
export function identityFromAgent(reported: agentProto.HardwareInformation): MachineIdentity {
  const interfaces = [...(reported.network?.interfaces ?? [])].slice(0, MAX_ENTRIES).sort((a, b) => a.index - b.index);
  const macs = interfaces.flatMap(({ mac }) => parseMac(mac) ?? []).filter((mac) => !/^[0:]+$/.test(mac));
  return { uuid: reported.system?.uuid ?? '', serial: reported.system?.serialNumber ?? '', macs };
}

/** The part of an inventory that does not change from boot to boot. */
export function lastingHardware(hardware: Hardware): Hardware {
  const { interfaces, ...network } = hardware.network ?? {};
  const lasting = interfaces?.map(
    ({ addresses: _addresses, flags: _flags, mtu: _mtu, index: _index, ...rest }) => rest,
  );
  return { ...hardware, network: { ...network, ...(lasting === undefined ? {} : { interfaces: lasting }) } };
}

function labelValue(text: string | undefined): string | undefined {
  const value = (text ?? '')
    .slice(0, MAX_TEXT)
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  return value === '' ? undefined : value;
}

/** Labels of a Server by its inventory (ux.md §2.5). */
export function hardwareLabels(hardware: Hardware): Readonly<Record<string, string>> {
  const number = (text: string | undefined): string | undefined => labelValue(text?.split(' ')[0]);
  return given({
    [LABELS.manufacturer]: labelValue(hardware.system?.manufacturer),
    [LABELS.product]: labelValue(hardware.system?.productName),
    [LABELS.cpuCount]: labelValue(String(hardware.compute?.processorCount ?? '')),
    [LABELS.memoryGib]: number(hardware.memory?.totalSize),
    [LABELS.diskGib]: number(hardware.storage?.totalSize),
  }) as Readonly<Record<string, string>>;
}
