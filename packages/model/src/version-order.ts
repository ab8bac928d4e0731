/**
 * Order API versions as Kubernetes prefers them: stable before beta before alpha, higher numbers first,
 * everything else behind, alphabetically. For `Array.sort`.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [rank(a), rank(b)];
  for (const [i, part] of left.entries()) {
    const other = right[i] ?? 0;
    if (part !== other) return other - part;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

const STAGES: Readonly<Record<string, number>> = { '': 3, beta: 2, alpha: 1 };

function rank(version: string): readonly number[] {
  const [, major, stage = '', minor = '0'] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
  return major === undefined ? [0, 0, 0] : [STAGES[stage] ?? 0, Number(major), Number(minor)];
}
