import { runCommand } from './run-command.ts';

const NAMES_MAX = 16;

/** Names to try for a link, in order: `siderolink`, `siderolink1`, … */
export function candidateNames(base: string): readonly string[] {
  return Array.from({ length: NAMES_MAX }, (_, i) => (i === 0 ? base : `${base}${i}`));
}

/** Names of all links of this network namespace. */
export async function listLinkNames(): Promise<ReadonlySet<string>> {
  const text = await runCommand('listing the network links', ['ip', '-o', 'link', 'show']);
  return new Set([...text.matchAll(/^\d+: ([^:@]+)[:@]/gm)].flatMap((found) => found[1] ?? []));
}
