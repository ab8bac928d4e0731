import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where peers and images are kept between runs: `${XDG_CACHE_HOME:-~/.cache}/bloomery`. */
export function bloomeryCacheDir(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'bloomery');
}
