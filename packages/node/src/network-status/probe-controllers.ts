import type { Controller } from '@bloomery/cosi';
import { layeredId } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { ProbeSpec, ProbeStatus } from '../resources/network-status.ts';
import type { AskEndpoint } from './ask-endpoint.ts';
import { type ProbeRunner, startProbe } from './probe-runner.ts';
import { configuredProbes, probeId } from './probe-specs.ts';

/** Probes of the configuration on layer `configuration`. */
export function probeConfigController(): Controller {
  return {
    name: 'network.ProbeConfigController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: ProbeSpec, kind: 'shared' }],
    reconcile: (context) => {
      const outputs = context.outputs(ProbeSpec, { namespace: LAYERED });
      for (const spec of configuredProbes(context.get(MachineConfig, ACTIVE_CONFIG)?.spec)) {
        outputs.put(layeredId('configuration', probeId(spec)), spec);
      }
      outputs.finish();
    },
  };
}

/** Runs the merged probes and tells how they go. A probe that has not been answered yet has no status. */
export function probeController({ clock, log }: Pick<NodeEnvironment, 'clock' | 'log'>, ask: AskEndpoint): Controller {
  const runners = new Map<string, ProbeRunner>();
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const wake of listeners) wake();
  };
  const stopExcept = (kept: ReadonlyMap<string, ProbeSpec>): void => {
    for (const [id, runner] of runners) {
      const spec = kept.get(id);
      if (spec !== undefined && ProbeSpec.codec.equal(spec, runner.spec)) continue;
      runner.stop();
      runners.delete(id);
    }
  };
  return {
    name: 'network.ProbeController',
    inputs: [{ definition: ProbeSpec, kind: 'weak' }],
    outputs: [{ definition: ProbeStatus, kind: 'exclusive' }],
    wakes: [
      {
        listen: (wake) => {
          listeners.add(wake);
          return () => listeners.delete(wake);
        },
      },
    ],
    reconcile: (context) => {
      const running = context.list(ProbeSpec).filter(({ metadata }) => metadata.phase === 'running');
      const specs = new Map(running.map(({ metadata, spec }) => [metadata.id, spec]));
      stopExcept(specs);
      const statuses = context.outputs(ProbeStatus);
      for (const [id, spec] of specs) {
        const runner = runners.get(id) ?? startProbe(id, spec, { clock, log, ask, changed });
        runners.set(id, runner);
        if (runner.status !== undefined) statuses.put(id, runner.status);
      }
      statuses.finish();
    },
    stop: async () => stopExcept(new Map()),
  };
}
