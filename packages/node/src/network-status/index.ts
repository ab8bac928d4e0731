import type { Controller } from '@bloomery/cosi';
import { mergeController } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { NodeAddress } from '../resources/addresses.ts';
import { HostnameStatus } from '../resources/names.ts';
import { NetworkStatus, ProbeSpec, ProbeStatus } from '../resources/network-status.ts';
import { RouteStatus } from '../resources/routes.ts';
import { type AskEndpoint, createAskEndpoint } from './ask-endpoint.ts';
import type { EtcFiles } from './etc-files.ts';
import { probeConfigController, probeController } from './probe-controllers.ts';
import { probeId } from './probe-specs.ts';

export * from './ask-endpoint.ts';
export * from './etc-files.ts';

/** Id of the one NetworkStatus. */
export const NETWORK_STATUS_ID = 'status';

/** What the status of the network needs beside the environment. */
export interface NetworkStatusParts {
  readonly etcFiles: Pick<EtcFiles, 'isReady' | 'listen'>;
  /** How probes ask; directly over the network unless given. */
  readonly ask?: AskEndpoint;
}

/** Controllers of probes and of the status of the network. */
export function networkStatusControllers(
  environment: Pick<NodeEnvironment, 'clock' | 'log'>,
  { etcFiles, ask = createAskEndpoint() }: NetworkStatusParts,
): readonly Controller[] {
  return [
    probeConfigController(),
    mergeController({ name: 'network.ProbeMergeController', definition: ProbeSpec, idOf: probeId }),
    probeController(environment, ask),
    statusController(etcFiles),
  ];
}

/** Tells what of the network is ready. */
function statusController(etcFiles: NetworkStatusParts['etcFiles']): Controller {
  return {
    name: 'network.StatusController',
    inputs: [
      { definition: NodeAddress, id: 'current', kind: 'weak' },
      { definition: RouteStatus, kind: 'weak' },
      { definition: HostnameStatus, kind: 'weak' },
      { definition: ProbeSpec, kind: 'weak' },
      { definition: ProbeStatus, kind: 'weak' },
    ],
    outputs: [{ definition: NetworkStatus, kind: 'exclusive' }],
    wakes: [{ listen: (wake) => etcFiles.listen(wake) }],
    reconcile: (context) => {
      const probes = context.list(ProbeSpec).map(({ metadata }) => metadata.id);
      const hasDefaultRoute = () =>
        context.list(RouteStatus).some(({ spec }) => spec.dst === '' && spec.type === 'unicast');
      const probesSucceed = () => probes.every((id) => context.get(ProbeStatus, id)?.spec.success === true);
      context.put(NetworkStatus, NETWORK_STATUS_ID, {
        addressReady: (context.get(NodeAddress, 'current')?.spec.addresses.length ?? 0) > 0,
        connectivityReady: probes.length > 0 ? probesSucceed() : hasDefaultRoute(),
        hostnameReady: context.list(HostnameStatus).length > 0,
        etcFilesReady: etcFiles.isReady(),
      });
    },
  };
}
