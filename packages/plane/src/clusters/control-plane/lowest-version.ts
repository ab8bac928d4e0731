/** The lowest of some Kubernetes versions (`v1.31.4`), as it was given; undefined for none. A pre-release is below its release. */
export function lowestVersion(versions: readonly string[]): string | undefined {
  return [...versions].sort(compareVersions)[0];
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left.numbers[i] ?? 0) - (right.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.pre === right.pre) return 0;
  if (left.pre === '') return 1;
  if (right.pre === '') return -1;
  return left.pre < right.pre ? -1 : 1;
}

function parts(version: string): { readonly numbers: readonly number[]; readonly pre: string } {
  const plain = version.replace(/^v/, '').split('+')[0] ?? '';
  const dash = plain.indexOf('-');
  const core = dash < 0 ? plain : plain.slice(0, dash);
  return {
    numbers: core.split('.').map((n) => Number.parseInt(n, 10) || 0),
    pre: dash < 0 ? '' : plain.slice(dash + 1),
  };
}
