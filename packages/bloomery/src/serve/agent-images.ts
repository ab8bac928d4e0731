import { join } from 'node:path';

/** What the search depends on. */
export interface AgentImagesInput {
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Text of /etc/passwd. */
  readonly passwd: string;
  readonly exists: (path: string) => boolean;
}

/**
 * Where agent images are looked for when no flag says it: in the data directory, else in the cache that `make setup` filled, which
 * is another user's when the plane was started with sudo.
 *
 * @returns the first folder that exists, else the one that `make setup` would fill.
 */
export function findAgentImages({ dataDir, env, home, passwd, exists }: AgentImagesInput): string {
  const cache = join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'bloomery/images');
  const caller = homeOf(env['SUDO_USER'], passwd);
  const folders = [
    join(dataDir, 'agent-images'),
    cache,
    ...(caller === undefined ? [] : [join(caller, '.cache/bloomery/images')]),
  ];
  return folders.find((folder) => exists(folder)) ?? cache;
}

function homeOf(user: string | undefined, passwd: string): string | undefined {
  if (user === undefined || user === '') return undefined;
  const line = passwd.split('\n').find((l) => l.startsWith(`${user}:`));
  return line?.split(':')[5];
}
