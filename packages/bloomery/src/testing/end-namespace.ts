import { execFileSync } from 'node:child_process';

/** Kill what runs in a network namespace and remove it. */
export function endNamespace(name: string): void {
  const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of pids.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  execFileSync('ip', ['netns', 'del', name]);
}
