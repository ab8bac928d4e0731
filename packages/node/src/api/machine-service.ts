import { type GrpcService, grpcServicePart } from '@bloomery/grpc';
import { machineProto } from '@bloomery/wire';
import type { ConfigStore } from '../config/config-store.ts';
import type { NodeSettings } from '../node-environment.ts';
import { answer } from './answers.ts';
import type { ApiAccess } from './api-access.ts';
import { applyConfiguration } from './apply-configuration.ts';
import type { NodeNames } from './node-names.ts';

/** What the methods work with. */
export interface MachineServiceDeps {
  readonly access: ApiAccess;
  readonly store: ConfigStore;
  readonly settings: NodeSettings;
  readonly names: () => NodeNames;
}

/** The part of Talos' MachineService that a daemon of the network has; the rest ends with UNIMPLEMENTED. @see spec/node.md section 3 */
export function createNodeMachineService(deps: MachineServiceDeps): GrpcService {
  const { access, store, settings, names } = deps;
  return grpcServicePart(machineProto.MachineService, {
    version: (_, context) => answer(access.admit('version', context), versionOf(settings, store)),
    hostname: (_, context) => answer(access.admit('hostname', context), { hostname: names().hostname }),
    applyConfiguration: async (request, context) => {
      const admission = access.admit('applyConfiguration', context);
      return answer(admission, await applyConfiguration(store, request));
    },
  });
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

function versionOf({ talosVersion }: NodeSettings, store: ConfigStore) {
  const { arch, version } = process;
  return {
    version: {
      tag: talosVersion,
      sha: 'bloomery',
      goVersion: `node ${version}`,
      os: 'linux',
      arch: ARCHITECTURES[arch] ?? arch,
    },
    platform: { name: 'bloomery', mode: store.isInMaintenance ? 'maintenance' : 'metal' },
    features: { rbac: store.active.machine?.rbac !== false },
  };
}
