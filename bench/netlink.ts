import { join } from 'node:path';
import { makeBenchNamespace, whyNoNamespace } from './bench-netns.ts';
import type { BenchResult } from './bench-result.ts';

interface Measured {
  readonly counts: Readonly<Record<string, number>>;
  readonly medians: Readonly<Record<string, number>>;
}

/** How long it takes to list 1,001 links and 500 addresses: our codec, `ip -j`, and the decoder of npm's `netlink`. */
export async function benchNetlink(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const why = whyNoNamespace();
  if (why !== false) {
    say(`netlink: skipped, ${why}`);
    return [];
  }
  const namespace = makeBenchNamespace();
  try {
    const printed = namespace.run(process.execPath, '--expose-gc', join(import.meta.dirname, 'netlink/measure.ts'));
    const { counts, medians }: Measured = JSON.parse(printed);
    say(`netlink: listed ${JSON.stringify(counts)}`);
    const ms = (name: string): number => medians[name] ?? Number.NaN;
    const result = (what: string, name: string, target: BenchResult['target'] | undefined): BenchResult[] => [
      {
        name: `netlink: ${what} listed`,
        unit: 'ms',
        ours: ms(`ours${name}`),
        ...(target === undefined ? {} : { target }),
      },
      {
        name: `netlink: ${what}, against ip -j`,
        ...{ unit: 'ms', ours: ms(`ours${name}`), peer: { name: 'ip -j', value: ms(`ip${name}`) } },
        target: { atMost: 1 },
      },
      {
        name: `netlink: ${what}, against npm netlink`,
        ...{ unit: 'ms', ours: ms(`ours${name}`), peer: { name: 'npm netlink', value: ms(`peer${name}`) } },
        target: { atMost: 1 },
      },
    ];
    return [...result('1001 links', 'Links', { atMost: 15 }), ...result('500 addresses', 'Addresses', undefined)];
  } finally {
    namespace.end();
  }
}
