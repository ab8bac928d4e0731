import { type CallContext, type GrpcService, grpcServicePart } from '@bloomery/grpc';
import { machineEventsProto, machineProto } from '@bloomery/wire';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { applyModeOf, WIRE_MODE } from '../apply-mode.ts';
import type { SequenceEvent, TalosService } from '../talos-api.ts';
import type { MachineActions } from './machine-actions.ts';
import { checkRole } from './method-roles.ts';
import { packKubeconfig } from './pack-kubeconfig.ts';

type Init<T extends keyof typeof machineProto> = (typeof machineProto)[T];

const SEQUENCE_EVENT_URL = `talos/runtime/${machineEventsProto.SequenceEventSchema.typeName}`;
const DATA_BYTES = 32 * 1024;

/** The Talos API of a machine, for startTalosApiServer: who may call what is decided by the client certificate's roles. */
export function createMachineService(machine: MachineActions): GrpcService {
  const one = <T>(message: T): { readonly messages: [T] } => ({ messages: [message] });
  const done = (): { readonly messages: [Record<never, never>] } => one({});
  return grpcServicePart(machineProto.MachineService, {
    ...etcdMethods(machine),
    version: async (_, context) => {
      checkRole('version', context);
      const { tag, platform } = await machine.version();
      return one({ version: { tag, os: 'linux' }, platform: { name: platform }, features: { rbac: true } });
    },
    hostname: async (_, context) => {
      checkRole('hostname', context);
      return one({ hostname: await machine.hostname() });
    },
    bootstrap: async ({ recoverEtcd }, context) => {
      checkRole('bootstrap', context);
      return machine.bootstrap({ recoverEtcd }).then(done);
    },
    serviceList: async (_, context) => {
      checkRole('serviceList', context);
      return one({ services: (await machine.services()).map(serviceInfo) });
    },
    list: (request, context) => list(machine, request.root, context),
    events: (request, context) => events(machine, request.tailEvents !== 0, context),
    applyConfiguration: async ({ data, mode, dryRun }, context) => {
      checkRole('applyConfiguration', context);
      const applied = await machine.applyConfiguration(Buffer.from(data).toString(), {
        mode: applyModeOf(mode) ?? 'auto',
        dryRun,
      });
      return one({ warnings: [...applied.warnings], mode: WIRE_MODE[applied.mode], modeDetails: applied.details });
    },
    upgrade: async ({ image, stage, force }, context) => {
      checkRole('upgrade', context);
      await machine.upgrade(image, { stage, force });
      return one({ ack: 'Upgrade request received' });
    },
    reset: async ({ graceful, reboot }, context) => {
      checkRole('reset', context);
      return machine.reset({ graceful, reboot }).then(done);
    },
    reboot: async (_, context) => {
      checkRole('reboot', context);
      return machine.reboot().then(done);
    },
    shutdown: async ({ force }, context) => {
      checkRole('shutdown', context);
      return machine.shutdown({ force }).then(done);
    },
    kubeconfig: (_, context) => kubeconfig(machine, context),
  });
}

function etcdMethods(machine: MachineActions) {
  return {
    etcdMemberList: async ({ queryLocal }: machineProto.EtcdMemberListRequest, context: CallContext) => {
      checkRole('etcdMemberList', context);
      const members = (await machine.etcdMembers({ queryLocal })).map(({ peerUrls, clientUrls, ...member }) => ({
        ...member,
        peerUrls: [...peerUrls],
        clientUrls: [...clientUrls],
      }));
      return { messages: [{ members, legacyMembers: members.map(({ hostname }) => hostname) }] };
    },
    etcdStatus: async (_: unknown, context: CallContext) => {
      checkRole('etcdStatus', context);
      const { errors, ...status } = await machine.etcdStatus();
      return { messages: [{ memberStatus: { ...status, errors: [...errors] } }] };
    },
    etcdRemoveMemberByID: async ({ memberId }: machineProto.EtcdRemoveMemberByIDRequest, context: CallContext) => {
      checkRole('etcdRemoveMemberByID', context);
      await machine.etcdRemoveMember(memberId);
      return { messages: [{}] };
    },
    etcdLeaveCluster: async (_: unknown, context: CallContext) => {
      checkRole('etcdLeaveCluster', context);
      await machine.etcdLeaveCluster();
      return { messages: [{}] };
    },
    etcdForfeitLeadership: async (_: unknown, context: CallContext) => {
      checkRole('etcdForfeitLeadership', context);
      return { messages: [{ member: await machine.etcdForfeitLeadership() }] };
    },
  };
}

function serviceInfo({ id, state, healthy, message }: TalosService) {
  return {
    id,
    state,
    events: { events: [{ msg: message, state }] },
    health: { unknown: healthy === undefined, healthy: healthy === true, lastMessage: message },
  } satisfies MessageInitShape<Init<'ServiceInfoSchema'>>;
}

async function* list(machine: MachineActions, root: string, context: CallContext) {
  checkRole('list', context);
  for (const { name, isDirectory, sizeBytes = 0 } of await machine.list(root)) {
    const relativeName = name === root ? '.' : name.slice(root.length + 1);
    yield { name, relativeName, isDir: isDirectory, size: BigInt(sizeBytes) };
  }
}

async function* events(machine: MachineActions, past: boolean, context: CallContext) {
  checkRole('events', context);
  let id = 0;
  for await (const event of machine.sequences(context.signal, { past })) {
    id += 1;
    yield { id: String(id), data: { typeUrl: SEQUENCE_EVENT_URL, value: sequenceBytes(event) } };
  }
}

function sequenceBytes({ sequence, action, error }: SequenceEvent): Uint8Array {
  const { SequenceEvent_Action, SequenceEventSchema } = machineEventsProto;
  const failure = error === undefined ? {} : { error: { message: error } };
  const message = create(SequenceEventSchema, { sequence, action: SequenceEvent_Action[action], ...failure });
  return toBinary(SequenceEventSchema, message);
}

async function* kubeconfig(machine: MachineActions, context: CallContext) {
  checkRole('kubeconfig', context);
  const archive = packKubeconfig(await machine.kubeconfig());
  for (let at = 0; at < archive.length; at += DATA_BYTES) yield { bytes: archive.subarray(at, at + DATA_BYTES) };
}
