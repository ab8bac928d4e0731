import type { Controller } from '@bloomery/cosi';
import type { HostFileKeeper } from '../files/index.ts';
import { applySpecs, createAttempts, createProblems, mergeController, type Problems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { HostnameSpec, HostnameStatus } from '../resources/names.ts';
import { HOSTNAME_ID, mergeHostnames } from './host-name.ts';
import { automaticName, HOSTNAME_FILE, hostnameConfigController } from './hostname-config-controller.ts';

export * from './host-name.ts';

const DOMAINNAME_FILE = '/proc/sys/kernel/domainname';

/** What the host name needs beside the environment. */
export interface HostnameParts {
  /** Sets the name of this host, and puts the old one back in the end. */
  readonly hostFiles: Pick<HostFileKeeper, 'keepHostname' | 'original' | 'release'>;
}

/** Controllers of the host name: from the configuration over the layers to this host. */
export function hostnameControllers(environment: NodeEnvironment, parts: HostnameParts): readonly Controller[] {
  const problems = createProblems();
  return [
    hostnameConfigController(environment, parts.hostFiles),
    mergeController({
      name: 'network.HostnameMergeController',
      definition: HostnameSpec,
      idOf: () => HOSTNAME_ID,
      merge: mergeHostnames,
      problems,
    }),
    hostnameSpecController(environment, parts, problems),
  ];
}

/** Tells the name, and gives it to this host where all of it is looked after or the configuration says so. */
function hostnameSpecController(
  { settings, random }: Pick<NodeEnvironment, 'settings' | 'random'>,
  { hostFiles }: HostnameParts,
  problems: Problems,
): Controller {
  const attempts = createAttempts({ definition: HostnameSpec, problems, random });
  return {
    name: 'network.HostnameSpecController',
    inputs: [
      { definition: HostnameSpec, kind: 'strong' },
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
    ],
    outputs: [{ definition: HostnameStatus, kind: 'exclusive' }],
    reconcile: async (context) => {
      const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
      const isOurs = (spec: HostnameSpec): boolean =>
        settings.manageAll || spec.layer === 'configuration' || automaticName(config, false) !== 'own';
      const statuses = context.outputs(HostnameStatus);
      await applySpecs(context, {
        definition: HostnameSpec,
        attempts,
        problems,
        waitsFor: ({ hostname }) => (hostname === '' ? 'nobody gives a host name' : undefined),
        bringAbout: async (spec) => {
          const { hostname, domainname } = spec;
          if (isOurs(spec)) await hostFiles.keepHostname(hostname, domainname);
          else for (const file of [HOSTNAME_FILE, DOMAINNAME_FILE]) await hostFiles.release(file);
        },
        takeAway: () => {},
      });
      for (const { metadata, spec } of context.list(HostnameSpec)) {
        const { hostname, domainname } = spec;
        if (metadata.phase === 'running' && hostname !== '') statuses.put(metadata.id, { hostname, domainname });
      }
      statuses.finish();
    },
  };
}
