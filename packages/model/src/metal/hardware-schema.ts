import { integer, list, object, string } from '../schema.ts';

const count = integer();

/** What the SMBIOS system table says. `uuid` names the Server. */
export const systemSchema = object(
  {},
  {
    uuid: string(),
    manufacturer: string(),
    productName: string(),
    version: string(),
    serialNumber: string(),
    skuNumber: string(),
    family: string(),
  },
);

/** Inventory of a machine, and what a ServerClass asks of it (spec/metal.md §3). */
export const hardwareSchema = object(
  {},
  {
    system: systemSchema,
    compute: object(
      {},
      {
        totalCoreCount: count,
        totalThreadCount: count,
        processorCount: count,
        processors: list(
          object(
            {},
            {
              manufacturer: string(),
              productName: string(),
              serialNumber: string(),
              speed: integer({ description: 'MHz' }),
              coreCount: count,
              threadCount: count,
            },
          ),
        ),
      },
    ),
    memory: object(
      {},
      {
        totalSize: string({ description: 'Whole GB, as `32 GB`.' }),
        moduleCount: count,
        modules: list(
          object(
            {},
            {
              manufacturer: string(),
              productName: string(),
              serialNumber: string(),
              type: string(),
              size: integer({ description: 'MB' }),
              speed: integer({ description: 'MT/s' }),
            },
          ),
        ),
      },
    ),
    storage: object(
      {},
      {
        totalSize: string({ description: 'Whole GB, as `1116 GB`.' }),
        deviceCount: count,
        devices: list(
          object(
            {},
            {
              type: string({ description: 'SSD, HDD, NVMe, SD or Unknown.' }),
              size: integer({ format: 'int64', description: 'Bytes' }),
              productName: string({ description: 'Model' }),
              serialNumber: string(),
              name: string(),
              deviceName: string(),
              uuid: string(),
              wwid: string(),
            },
          ),
        ),
      },
    ),
    network: object(
      {},
      {
        interfaceCount: count,
        interfaces: list(
          object(
            {},
            {
              index: count,
              name: string(),
              flags: string({ description: 'As `up|broadcast|multicast`.' }),
              mtu: count,
              mac: string(),
              addresses: list(string(), { description: 'CIDR strings' }),
            },
          ),
        ),
      },
    ),
  },
);
