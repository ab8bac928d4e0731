const SUGGESTIONS = 3;
const LENGTH_MAX = 100;

/** The nearest of the known names, at most three and none that is quite different. */
export function suggest(given: string, known: readonly string[]): readonly string[] {
  const wanted = given.toLowerCase().slice(0, LENGTH_MAX);
  return known
    .map((name) => ({ name, distance: editDistance(wanted, name.toLowerCase().slice(0, LENGTH_MAX)) }))
    .filter(({ distance }) => distance <= Math.max(2, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, SUGGESTIONS)
    .map(({ name }) => name);
}

/** Insertions, removals and replacements from one text to the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replace));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
