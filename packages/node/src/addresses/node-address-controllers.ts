import type { Controller } from '@bloomery/cosi';
import type { ClusterSection } from '../config/node-config.ts';
import { parsePrefix } from '../ip/ip-prefix.ts';
import { AddressStatus, NodeAddress, NodeAddressFilter, NodeAddressSortAlgorithm } from '../resources/addresses.ts';
import { LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { filterAddresses, nodeAddresses } from './node-addresses.ts';

/** Id of the one NodeAddressSortAlgorithm. */
export const SORT_ALGORITHM_ID = 'default';

/** Ids of NodeAddress; with a filter `-no-k8s` or `-only-k8s` behind it, but for the default one. */
export const NODE_ADDRESS_IDS = ['default', 'current', 'routed', 'accumulative'] as const;

const DEFAULT_POD_SUBNETS = ['10.244.0.0/16'];
const DEFAULT_SERVICE_SUBNETS = ['10.96.0.0/12'];

/** Which order of addresses the configuration asks for. */
export function sortAlgorithmController(): Controller {
  return {
    name: 'network.NodeAddressSortAlgorithmController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: NodeAddressSortAlgorithm, kind: 'exclusive' }],
    reconcile: (context) => {
      const written = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.machine?.nodeAddressSortAlgorithm;
      context.put(NodeAddressSortAlgorithm, SORT_ALGORITHM_ID, { algorithm: written === 'v2' ? 'v2' : 'v1' });
    },
  };
}

/** Filters that tell addresses of pods and services from those of the node, once it knows its cluster. */
export function addressFilterController(): Controller {
  return {
    name: 'k8s.AddressFilterController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: NodeAddressFilter, kind: 'exclusive' }],
    reconcile: (context) => {
      const cluster = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.cluster;
      const filters = context.outputs(NodeAddressFilter);
      if (cluster !== undefined) {
        const subnets = clusterSubnets(cluster);
        filters.put('no-k8s', NodeAddressFilter.make({ excludeSubnets: subnets }));
        filters.put('only-k8s', NodeAddressFilter.make({ includeSubnets: subnets }));
      }
      filters.finish();
    },
  };
}

/** The addresses of this node under their ids. */
export function nodeAddressController(): Controller {
  return {
    name: 'network.NodeAddressController',
    inputs: [
      { definition: AddressStatus, kind: 'weak' },
      { definition: LinkStatus, kind: 'weak' },
      { definition: NodeAddressFilter, kind: 'weak' },
      { definition: NodeAddressSortAlgorithm, id: SORT_ALGORITHM_ID, kind: 'weak' },
    ],
    outputs: [{ definition: NodeAddress, kind: 'exclusive' }],
    reconcile: (context) => {
      const sortAlgorithm = context.get(NodeAddressSortAlgorithm, SORT_ALGORITHM_ID)?.spec.algorithm;
      if (sortAlgorithm === undefined) return;
      const last = (id: string) => context.get(NodeAddress, id)?.spec;
      const isSameOrder = last('default')?.sortAlgorithm === sortAlgorithm;
      const found = nodeAddresses({
        addresses: context.list(AddressStatus).map(({ spec }) => spec),
        links: context.list(LinkStatus).map(({ spec }) => spec),
        algorithm: sortAlgorithm,
        before: {
          default: isSameOrder ? last('default')?.addresses[0] : undefined,
          accumulative: last('accumulative')?.addresses ?? [],
        },
      });
      const outputs = context.outputs(NodeAddress);
      if (found.default !== undefined) outputs.put('default', { addresses: [found.default], sortAlgorithm });
      for (const id of ['current', 'routed', 'accumulative'] as const) {
        outputs.put(id, { addresses: found[id], sortAlgorithm });
        for (const { metadata, spec } of context.list(NodeAddressFilter)) {
          outputs.put(`${id}-${metadata.id}`, { addresses: filterAddresses(found[id], spec), sortAlgorithm });
        }
      }
      outputs.finish();
    },
  };
}

function clusterSubnets({ podSubnets, serviceSubnets }: ClusterSection): readonly string[] {
  const pods = podSubnets.length === 0 ? DEFAULT_POD_SUBNETS : podSubnets;
  const services = serviceSubnets.length === 0 ? DEFAULT_SERVICE_SUBNETS : serviceSubnets;
  return [...pods, ...services].flatMap((text) => parsePrefix(text)?.text ?? []);
}
