import type { Controller, ReconcileContext } from '@bloomery/cosi';
import type { NodeConfig } from '../config/node-config.ts';
import { asText } from '../config/plain-value.ts';
import type { HostFileKeeper } from '../files/index.ts';
import { LOCAL_IDENTITY } from '../identity/index.ts';
import { parsePrefix } from '../ip/ip-prefix.ts';
import { layeredId } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { NodeAddress } from '../resources/addresses.ts';
import { Identity } from '../resources/cluster.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { HostnameSpec } from '../resources/names.ts';
import { addressName, HOSTNAME_ID, hostnameSpec, stableName } from './host-name.ts';

/** Where a name comes from when nobody gives one: the default address, the node's identity, nowhere, or the host as it is. */
export type AutomaticName = 'addr' | 'stable' | 'off' | 'own';

/** The name that the configuration gives, `machine.network.hostname` or a HostnameConfig document; empty: none. */
export function configuredHostname(config: NodeConfig | undefined): string {
  const written = asText(hostnameDocument(config)?.['hostname']);
  return written === '' ? (config?.machine?.network.hostname ?? '') : written;
}

/** How a name is made when nobody gives one. A host that is not looked after as a whole keeps its own. */
export function automaticName(config: NodeConfig | undefined, manageAll: boolean): AutomaticName {
  const document = hostnameDocument(config);
  const auto = document?.['auto'];
  if (auto === 'addr' || auto === 'stable') return auto;
  if (!manageAll) return 'own';
  if (document !== undefined) return 'off';
  return config?.machine?.stableHostname === true ? 'stable' : 'addr';
}

/** Where the kernel says the name of this host. */
export const HOSTNAME_FILE = '/proc/sys/kernel/hostname';

/** The host name of the configuration on layer `configuration`, an automatic one on layer `default`. */
export function hostnameConfigController(
  { settings: { manageAll } }: Pick<NodeEnvironment, 'settings'>,
  hostFiles: Pick<HostFileKeeper, 'original'>,
): Controller {
  return {
    name: 'network.HostnameConfigController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: NodeAddress, id: 'default', kind: 'weak' },
      { definition: Identity, id: LOCAL_IDENTITY, kind: 'weak' },
    ],
    outputs: [{ definition: HostnameSpec, kind: 'shared' }],
    reconcile: async (context) => {
      const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
      const fallback = await fallbackName(automaticName(config, manageAll), context, hostFiles);
      const written = configuredHostname(config);
      const outputs = context.outputs(HostnameSpec, { namespace: LAYERED });
      for (const [layer, name] of [
        ['default', fallback],
        ['configuration', written],
      ] as const) {
        const spec = hostnameSpec(name, layer);
        if (spec !== undefined) outputs.put(layeredId(layer, HOSTNAME_ID), spec);
        else if (name !== '') context.log.warn('hostname.unusable', { layer, name });
      }
      outputs.finish();
    },
  };
}

/** Empty: there is none, or what it is made of is not known yet. */
async function fallbackName(
  automatic: AutomaticName,
  context: ReconcileContext,
  hostFiles: Pick<HostFileKeeper, 'original'>,
): Promise<string> {
  if (automatic === 'off') return '';
  if (automatic === 'stable') {
    const identity = context.get(Identity, LOCAL_IDENTITY)?.spec;
    return identity === undefined ? '' : stableName(identity.nodeId);
  }
  if (automatic === 'own') return (await hostFiles.original(HOSTNAME_FILE))?.toString('utf8').trim() ?? '';
  const [first = ''] = context.get(NodeAddress, 'default')?.spec.addresses ?? [];
  const address = parsePrefix(first);
  return address === undefined ? '' : addressName(address);
}

function hostnameDocument(config: NodeConfig | undefined): Readonly<Record<string, unknown>> | undefined {
  return config?.documents.find(({ kind }) => kind === 'HostnameConfig')?.value;
}
