import type { Controller } from '@bloomery/cosi';
import type { NodeConfig } from '../config/node-config.ts';
import { asRecord, asText } from '../config/plain-value.ts';
import { layeredId, mergeController } from '../layers/index.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { TimeServerSpec, TimeServerStatus } from '../resources/names.ts';

/** Under which id the time servers stand, on each layer and in the end. */
export const TIME_SERVERS_ID = 'timeservers';

const DEFAULT_TIME_SERVER = 'time.cloudflare.com';

/** Controllers of the time servers: from the configuration over the layers to what is told. Nobody asks them here. */
export function timeControllers(): readonly Controller[] {
  return [
    timeServerConfigController(),
    mergeController({
      name: 'network.TimeServerMergeController',
      definition: TimeServerSpec,
      idOf: () => TIME_SERVERS_ID,
      merge: mergeTimeServers,
    }),
    timeServerSpecController(),
  ];
}

/** The servers of `machine.time` or a TimeSyncConfig document, or its PTP devices; empty: it names none. */
export function configuredTimeServers(config: NodeConfig | undefined): readonly string[] {
  const document = config?.documents.find(({ kind }) => kind === 'TimeSyncConfig')?.value;
  const servers = asRecord(document?.['ntp'])?.['servers'] ?? asRecord(document?.['ptp'])?.['devices'];
  const written = Array.isArray(servers) ? servers.map(asText).filter((server) => server !== '') : [];
  return written.length > 0 ? written : (config?.machine?.time.servers ?? []);
}

/** Of servers on all layers, lowest first: those of the highest layer that names any, one list after the other. */
export function mergeTimeServers(specs: readonly TimeServerSpec[]): TimeServerSpec {
  const named = specs.filter(({ timeServers }) => timeServers.length > 0);
  const layer = named.at(-1)?.layer ?? 'default';
  return TimeServerSpec.make({
    timeServers: named.filter((spec) => spec.layer === layer).flatMap(({ timeServers }) => timeServers),
    layer,
  });
}

function timeServerConfigController(): Controller {
  return {
    name: 'network.TimeServerConfigController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: TimeServerSpec, kind: 'shared' }],
    reconcile: (context) => {
      const written = configuredTimeServers(context.get(MachineConfig, ACTIVE_CONFIG)?.spec);
      const outputs = context.outputs(TimeServerSpec, { namespace: LAYERED });
      outputs.put(layeredId('default', TIME_SERVERS_ID), { timeServers: [DEFAULT_TIME_SERVER], layer: 'default' });
      if (written.length > 0) {
        outputs.put(layeredId('configuration', TIME_SERVERS_ID), { timeServers: written, layer: 'configuration' });
      }
      outputs.finish();
    },
  };
}

function timeServerSpecController(): Controller {
  return {
    name: 'network.TimeServerSpecController',
    inputs: [{ definition: TimeServerSpec, kind: 'strong' }],
    outputs: [{ definition: TimeServerStatus, kind: 'exclusive' }],
    reconcile: (context) => {
      const statuses = context.outputs(TimeServerStatus);
      const leaving: string[] = [];
      for (const { metadata, spec } of context.list(TimeServerSpec)) {
        if (metadata.phase === 'tearingDown') leaving.push(metadata.id);
        else {
          context.hold(TimeServerSpec, metadata.id);
          statuses.put(metadata.id, { timeServers: spec.timeServers });
        }
      }
      statuses.finish();
      for (const id of leaving) context.release(TimeServerSpec, id);
    },
  };
}
