import { boolean, integer, list, object, oneOfStrings, string } from '../schema.ts';
import { conditionsSchema, configPatchesSchema, objectReferenceSchema, waitingFields } from '../shared-schema.ts';

const credentialSource = object(
  {},
  { secretKeyRef: object({ namespace: string(), name: string(), key: string() }, {}) },
  { description: 'Where the value is read from when it is not given literally.' },
);

/** How to reach the baseboard management controller. */
export const bmcSchema = object(
  { endpoint: string({ description: 'Host or address.' }) },
  {
    port: integer({ description: 'UDP port, 623 unless given.' }),
    user: string(),
    userFrom: credentialSource,
    pass: string(),
    passFrom: credentialSource,
    interface: string({ description: 'IPMI interface, lanplus unless given.' }),
  },
);

/** Fields of Server.spec that both versions have. */
export const serverSpecFields = {
  cordoned: boolean({ description: 'Out of all ServerClasses; a running allocation is untouched.' }),
  pxeBootAlways: boolean({ description: 'Boot from the network even after the installation.' }),
  hostname: string(),
  environmentRef: objectReferenceSchema,
  bmc: bmcSchema,
  managementApi: object({ endpoint: string({ description: 'host:port' }) }, {}),
  configPatches: configPatchesSchema,
  bootFromDiskMethod: string({ description: 'ipxe-exit, http-404 or ipxe-sanboot; the global default when empty.' }),
  pxeMode: string({ description: 'bios or uefi; the global default when empty.' }),
};

/** `accepted`: nothing is ever written to, powered or wiped before it is true. */
export const acceptedField = {
  accepted: boolean({ description: 'A person let this machine in: it may be wiped, powered and allocated.' }),
};

/** Server.status of both versions: upstream's fields, then ours, all optional. */
export const serverStatusSchema = object(
  {},
  {
    ready: boolean({ description: 'Accepted and clean, or in use.' }),
    inUse: boolean({ description: 'A ServerBinding of the same name exists.' }),
    isClean: boolean({ description: 'The agent reported the wipe and nothing ran since.' }),
    power: oneOfStrings(['on', 'off', 'unknown']),
    addresses: list(object({ type: string(), address: string() }, {})),
    conditions: conditionsSchema,
    ...waitingFields,
    lastSeen: string({ format: 'date-time', description: 'Last sign of life: agent, event or link.' }),
    cluster: string({ description: 'Name of the Cluster that the machine works for.' }),
    machine: string({ description: 'namespace/name of the MetalMachine that holds the Server.' }),
    released: object(
      { time: string({ format: 'date-time' }) },
      {
        binding: string({ description: 'uid of the ServerBinding that went.' }),
        metalMachine: string({ description: 'namespace/name' }),
      },
      {
        description:
          'The deletion of the last ServerBinding was seen. Written by the ServerBinding controller before the finalizer goes; the wipe guard counts by it.',
      },
    ),
    wipe: object(
      {},
      {
        requestedAt: string({ format: 'date-time' }),
        startedAt: string({ format: 'date-time' }),
        finishedAt: string({ format: 'date-time' }),
        withoutAllocation: integer({ description: 'Wipes since the last allocation: the loop breaker counts these.' }),
      },
      { description: 'State of the wipe guard. Written by the Server controller.' },
    ),
    arrivedAt: string({
      format: 'date-time',
      description:
        'Since when the Server, copied here from another plane, waits for what belongs to it. Not wiped while it is there.',
    }),
    powerIntent: object(
      { action: string(), time: string({ format: 'date-time' }) },
      {},
      { description: 'Power action recorded before it is sent. Written by the Server controller.' },
    ),
  },
);
