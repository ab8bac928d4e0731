import type { Controller } from '@bloomery/cosi';
import type { HostFileKeeper } from '../files/index.ts';
import { watchHostFile } from '../files/watch-host-file.ts';
import { createNotices, PROBLEM_ANNOTATION } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { ACTIVE_CONFIG, EtcFileSpec, EtcFileStatus, MachineConfig } from '../resources/index.ts';
import { bundleWith, trustedRoots } from './trusted-roots.ts';

/** The authorities that connections trust beside those of the system, as PEM. */
export interface NodeAuthorities {
  /** As of now; read at each connect. undefined: none. */
  readonly current: () => string | undefined;
  set(pem: string | undefined): void;
}

/** None yet. */
export function createNodeAuthorities(): NodeAuthorities {
  let pem: string | undefined;
  return {
    current: () => pem,
    set: (next) => {
      pem = next;
    },
  };
}

/** Bundles of distributions, the usual one first. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem'];
/** Id of the resources, as upstream has it, wherever the host has its bundle. */
const BUNDLE_ID = 'ssl/certs/ca-certificates.crt';
const MODE = 0o644;

/**
 * Authorities that the configuration adds: new connections of the daemon trust them at once, programs of the host read them in the
 * system's bundle where host files are written. Taken away again with the configuration. The spec shows the whole bundle while there
 * is something to add, the status that it is written.
 */
export function trustedRootsController(
  { clock, settings }: Pick<NodeEnvironment, 'clock' | 'settings'>,
  authorities: NodeAuthorities,
  files: HostFileKeeper,
): Controller {
  const notices = createNotices('warn', 'trustedRoots.leftOut');
  let written: string | undefined;
  const original = async (): Promise<{ readonly path: string; readonly bundle: string }> => {
    for (const path of BUNDLES) {
      const bundle = await files.original(path);
      if (bundle !== undefined) return { path, bundle: bundle.toString('utf8') };
    }
    return { path: BUNDLES[0] ?? '', bundle: '' };
  };
  return {
    name: 'secrets.TrustedRootsController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [
      { definition: EtcFileSpec, kind: 'shared' },
      { definition: EtcFileStatus, kind: 'shared' },
    ],
    // Tools of the distribution write the bundle anew.
    wakes: files.enabled ? BUNDLES.map((path) => watchHostFile(settings.root, path, clock)) : [],
    reconcile: async (context) => {
      const { certificates, problems } = trustedRoots(context.get(MachineConfig, ACTIVE_CONFIG)?.spec);
      notices.say(context.log, problems);
      authorities.set(certificates.length === 0 ? undefined : certificates.join('\n'));
      const specs = context.outputs(EtcFileSpec);
      const statuses = context.outputs(EtcFileStatus);
      if (certificates.length > 0) {
        const { path, bundle } = await original();
        const contents = bundleWith(bundle, certificates);
        const annotations = problems.length === 0 ? {} : { [PROBLEM_ANNOTATION]: problems.join('; ') };
        const { metadata } = specs.put(BUNDLE_ID, EtcFileSpec.make({ contents, mode: MODE }), { annotations });
        await files.write(path, contents, MODE);
        written = path;
        if (files.enabled) statuses.put(BUNDLE_ID, EtcFileStatus.make({ specVersion: String(metadata.version) }));
      } else if (written !== undefined) {
        await files.release(written);
        written = undefined;
      }
      specs.finish();
      statuses.finish();
    },
  };
}
