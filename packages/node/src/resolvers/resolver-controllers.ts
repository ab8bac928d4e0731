import type { Controller } from '@bloomery/cosi';
import type { HostFileKeeper } from '../files/host-file-keeper.ts';
import { watchHostFile } from '../files/watch-host-file.ts';
import { layeredId } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus, ResolverSpec, ResolverStatus } from '../resources/names.ts';
import { type HostResolvers, ownResolvers, RESOLV_CONF } from './host-resolvers.ts';
import { RESOLVERS_ID } from './merge-resolvers.ts';
import { resolverSection } from './resolver-section.ts';

const DEFAULT_SERVERS = ['1.1.1.1', '8.8.8.8'];

/**
 * Resolvers of the configuration on layer `configuration`. On layer `default` those of Talos; of a host that is not looked after as a
 * whole, its own.
 */
export function resolverConfigController(
  { clock, settings: { manageAll, root } }: Pick<NodeEnvironment, 'clock' | 'settings'>,
  files: Pick<HostFileKeeper, 'original'>,
): Controller {
  const defaults = (): Promise<HostResolvers> | HostResolvers =>
    manageAll ? { servers: DEFAULT_SERVERS, searchDomains: [] } : ownResolvers(files);
  return {
    name: 'network.ResolverConfigController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: HostnameStatus, id: 'hostname', kind: 'weak' },
    ],
    outputs: [{ definition: ResolverSpec, kind: 'shared' }],
    wakes: manageAll ? [] : [watchHostFile(root, RESOLV_CONF, clock)],
    reconcile: async (context) => {
      const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
      const { servers, searchDomains, isDefaultSearchOff } = resolverSection(config);
      const own = await defaults();
      const domain = context.get(HostnameStatus, 'hostname')?.spec.domainname ?? '';
      const isDomainSearched = manageAll && config !== undefined && !isDefaultSearchOff && domain !== '';
      const outputs = context.outputs(ResolverSpec, { namespace: LAYERED });
      outputs.put(layeredId('default', RESOLVERS_ID), {
        dnsServers: own.servers,
        searchDomains: isDomainSearched ? [domain] : own.searchDomains,
        layer: 'default',
      });
      if (servers.length + searchDomains.length > 0) {
        outputs.put(layeredId('configuration', RESOLVERS_ID), {
          dnsServers: servers.map(({ address }) => address),
          searchDomains,
          layer: 'configuration',
        });
      }
      outputs.finish();
    },
  };
}

/** The merged resolvers are those that are in force. */
export function resolverSpecController(): Controller {
  return {
    name: 'network.ResolverSpecController',
    inputs: [{ definition: ResolverSpec, kind: 'strong' }],
    outputs: [{ definition: ResolverStatus, kind: 'exclusive' }],
    reconcile: (context) => {
      const statuses = context.outputs(ResolverStatus);
      const leaving: string[] = [];
      for (const { metadata, spec } of context.list(ResolverSpec)) {
        if (metadata.phase === 'tearingDown') leaving.push(metadata.id);
        else {
          context.hold(ResolverSpec, metadata.id);
          statuses.put(metadata.id, { dnsServers: spec.dnsServers, searchDomains: spec.searchDomains });
        }
      }
      statuses.finish();
      for (const id of leaving) context.release(ResolverSpec, id);
    },
  };
}
