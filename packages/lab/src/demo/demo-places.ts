import { homedir } from 'node:os';
import { join } from 'node:path';
import { bloomeryCacheDir } from '../images/cache-dir.ts';
import { type RackNetwork, rackNetwork } from '../rack/rack-network.ts';

/** Where the demo keeps its things. */
export interface DemoPlaces {
  readonly sourceDir: string;
  readonly cacheDir: string;
  /** Disks, logs, process numbers, the plane's data. */
  readonly rackDir: string;
  readonly network: RackNetwork;
}

/** The places of the one demo that can run on a host. */
export function demoPlaces(env: NodeJS.ProcessEnv): DemoPlaces {
  const state = env['XDG_STATE_HOME'] || join(homedir(), '.local/state');
  return {
    sourceDir: join(import.meta.dirname, '../../../..'),
    cacheDir: bloomeryCacheDir(env),
    rackDir: join(state, 'bloomery/demo'),
    network: rackNetwork('demo'),
  };
}
