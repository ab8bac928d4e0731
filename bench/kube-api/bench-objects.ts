import { crdOf, type JsonObject, server } from '@bloomery/model';

/** Group of the benched kind: our Server under another name, so that no controller of ours works on it. */
export const BENCH_GROUP = 'bench.sidero.dev';

/** Path of the benched collection. */
export const BENCH_PATH = `/apis/${BENCH_GROUP}/${server.version}/servers`;

/** How many objects share one value of the label `rack` in a full collection. */
export const RACK_SIZE = 250;

/** The CustomResourceDefinition that both servers get. */
export function benchCrd(): JsonObject {
  const { spec, ...rest } = crdOf([{ ...server, group: BENCH_GROUP, crdLabels: {} }]);
  return { ...rest, spec };
}

/** Name of an object of the collection: a UUID, as Servers have. */
export function benchName(index: number): string {
  return `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

/** A Server-like object of about 1.9 KB as JSON text; `racks` is the number of values of its label. */
export function benchObject(index: number, racks: number): string {
  const uuid = benchName(index);
  const hex = index.toString(16).padStart(6, '0');
  const mac = (card: number): string => `52:54:0${card}:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`;
  return JSON.stringify({
    apiVersion: `${BENCH_GROUP}/${server.version}`,
    kind: 'Server',
    metadata: {
      name: uuid,
      labels: { rack: `r-${index % racks}`, 'topology.bench.sidero.dev/room': 'north' },
      annotations: { 'bench.sidero.dev/note': 'registered by the load tool' },
    },
    spec: {
      accepted: true,
      hostname: `node-${hex}`,
      bmc: { endpoint: `10.1.${index >> 8}.${index & 255}`, port: 623, user: 'admin', pass: 'secret-of-the-bmc' },
      hardware: {
        system: {
          uuid,
          manufacturer: 'Example Systems Inc.',
          productName: 'Rack Server 2U R7425',
          version: '1.2',
          serialNumber: `SN-${hex}`,
          skuNumber: 'SKU-7425-A',
          family: 'R7000',
        },
        compute: {
          totalCoreCount: 64,
          totalThreadCount: 128,
          processorCount: 2,
          processors: [0, 1].map((n) => ({
            manufacturer: 'AMD',
            productName: 'EPYC 7543 32-Core Processor',
            serialNumber: `CPU-${hex}-${n}`,
            speed: 2800,
            coreCount: 32,
            threadCount: 64,
          })),
        },
        memory: {
          totalSize: '64 GB',
          moduleCount: 2,
          modules: [0, 1].map((n) => ({
            manufacturer: 'Samsung',
            productName: 'M393A4K40DB3-CWE',
            serialNumber: `DIMM-${hex}-${n}`,
            type: 'DDR4',
            size: 32_768,
            speed: 3200,
          })),
        },
        storage: {
          totalSize: '1920 GB',
          deviceCount: 2,
          devices: [0, 1].map((n) => ({
            type: 'NVMe',
            size: 960_197_124_096,
            productName: 'SAMSUNG MZQL2960HCJR-00A07',
            serialNumber: `S64FNE0R${hex}${n}`,
            deviceName: `/dev/nvme${n}n1`,
            wwid: `eui.36344630${hex}${n}0000000000000000`,
          })),
        },
        network: {
          interfaceCount: 2,
          interfaces: [0, 1].map((n) => ({
            index: n + 2,
            name: `enp${n + 1}s0f0`,
            flags: 'up|broadcast|multicast',
            mtu: 1500,
            mac: mac(n),
            addresses: [`10.2.${index >> 8}.${index & 255}/16`],
          })),
        },
      },
    },
  });
}

/** A merge patch for the status of an object. `stamp` is read back by watchers. */
export function benchStatusPatch(stamp: string): string {
  return JSON.stringify({
    status: {
      ready: true,
      isClean: true,
      power: 'on',
      addresses: [{ type: 'InternalIP', address: '10.2.0.1' }],
      conditions: [
        {
          type: 'PowerCycle',
          status: 'True',
          reason: 'Reported',
          lastTransitionTime: '2026-01-01T00:00:00Z',
          message: `${STAMP}${stamp}`,
        },
      ],
    },
  });
}

/** What stands before a stamp in the text of an object. */
export const STAMP = 'sent at ';
