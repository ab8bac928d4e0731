import { agentProto, type Smbios } from '@bloomery/wire';
import { create } from '@bufbuild/protobuf';
import type { Disk, StorageKind } from './disk.ts';
import type { NetworkLink } from './network-link.ts';

/** Everything that the agent found in the machine. */
export interface Inventory {
  readonly smbios: Smbios;
  readonly disks: readonly Disk[];
  readonly links: readonly NetworkLink[];
}

const STORAGE_TYPES: Readonly<Record<StorageKind, agentProto.StorageType>> = {
  Unknown: agentProto.StorageType.Unknown,
  SSD: agentProto.StorageType.SSD,
  HDD: agentProto.StorageType.HDD,
  NVMe: agentProto.StorageType.NVMe,
  SD: agentProto.StorageType.SD,
};

/** The registration message for what was found. As upstream's agent: no system version. */
export function createServerRequest(inventory: Inventory, hostname: string): agentProto.CreateServerRequest {
  return create(agentProto.CreateServerRequestSchema, { hostname, hardware: hardwareInformation(inventory) });
}

/** The agent protocol's description of the machine, with counts and totals. */
export function hardwareInformation({ smbios, disks, links }: Inventory): agentProto.HardwareInformation {
  const { uuid, manufacturer, productName, serialNumber, skuNumber, family } = smbios.system;
  return create(agentProto.HardwareInformationSchema, {
    system: { uuid, manufacturer, productName, serialNumber, skuNumber, family },
    compute: {
      totalCoreCount: sum(smbios.processors.map((p) => p.coreCount)),
      totalThreadCount: sum(smbios.processors.map((p) => p.threadCount)),
      processorCount: smbios.processors.length,
      processors: smbios.processors.map(({ speedMhz, ...processor }) => ({ ...processor, speed: speedMhz })),
    },
    memory: {
      totalSize: Math.min(sum(smbios.memoryModules.map((m) => m.sizeMb)), 0xffff_ffff),
      moduleCount: smbios.memoryModules.length,
      modules: smbios.memoryModules.map(({ sizeMb, speedMts, ...m }) => ({ ...m, size: sizeMb, speed: speedMts })),
    },
    storage: {
      totalSize: disks.reduce((total, disk) => total + disk.sizeBytes, 0n),
      deviceCount: disks.length,
      devices: disks.map((disk) => ({
        type: STORAGE_TYPES[disk.kind],
        size: disk.sizeBytes,
        model: disk.model,
        serial: disk.serial,
        name: disk.name,
        deviceName: disk.path,
        uuid: disk.uuid,
        wwid: disk.wwid,
      })),
    },
    network: {
      interfaceCount: links.length,
      interfaces: links.map((link) => ({ ...link, addresses: [...link.addresses] })),
    },
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
