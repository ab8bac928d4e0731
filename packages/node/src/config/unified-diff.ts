/** One step from the old lines to the new ones. */
interface Edit {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

const CONTEXT_LINES = 3;
const MAX_LINES = 75_000;
/** More differences than this are shown as everything taken out and put in: the search for the shortest way takes their square. */
const MAX_DIFFERENCES = 400;

/**
 * The difference of two texts as `diff -u` shows it, with the heads `--- a` and `+++ b`; empty when they are the same.
 *
 * @see E. Myers, An O(ND) Difference Algorithm and Its Variations (1986)
 */
export function unifiedDiff(before: string, after: string): string {
  if (before === after) return '';
  const a = linesOf(before);
  const b = linesOf(after);
  if (a.length + b.length > MAX_LINES) return `@@ -1,${a.length} +1,${b.length} @@ diff too large to display\n`;
  return `--- a\n+++ b\n${hunksOf(editsOf(a, b)).map(hunkText).join('')}`;
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

function editsOf(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ mark: ' ', line }));
  const middleA = a.slice(head, a.length - tail);
  const middleB = b.slice(head, b.length - tail);
  return [...same(a.slice(0, head)), ...middleEdits(middleA, middleB), ...same(a.slice(a.length - tail))];
}

function middleEdits(a: readonly string[], b: readonly string[]): Edit[] {
  const trace = shortestTrace(a, b);
  if (trace !== undefined) return backtrack(a, b, trace);
  return [...a.map((line): Edit => ({ mark: '-', line })), ...b.map((line): Edit => ({ mark: '+', line }))];
}

/** How far each diagonal was reached with each number of differences; undefined when there are too many. */
function shortestTrace(a: readonly string[], b: readonly string[]): ReadonlyMap<number, number>[] | undefined {
  const trace: ReadonlyMap<number, number>[] = [];
  let reached = new Map([[1, 0]]);
  for (let differences = 0; differences <= Math.min(a.length + b.length, MAX_DIFFERENCES); differences++) {
    trace.push(new Map(reached));
    const next = new Map<number, number>();
    for (let k = -differences; k <= differences; k += 2) {
      let x = goesDown(reached, k, differences) ? at(reached, k + 1) : at(reached, k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
    reached = new Map([...reached, ...next]);
  }
  return undefined;
}

const at = (reached: ReadonlyMap<number, number>, k: number): number => reached.get(k) ?? -1;

const goesDown = (reached: ReadonlyMap<number, number>, k: number, differences: number): boolean =>
  k === -differences || (k !== differences && at(reached, k - 1) < at(reached, k + 1));

function backtrack(a: readonly string[], b: readonly string[], trace: readonly ReadonlyMap<number, number>[]): Edit[] {
  const edits: Edit[] = [];
  let x = a.length;
  let y = b.length;
  for (let differences = trace.length - 1; differences >= 0; differences--) {
    const reached = trace[differences] ?? new Map<number, number>();
    const k = x - y;
    const previous = goesDown(reached, k, differences) ? k + 1 : k - 1;
    const previousX = at(reached, previous);
    const previousY = previousX - previous;
    while (x > previousX && y > previousY) {
      edits.push({ mark: ' ', line: a[--x] ?? '' });
      y--;
    }
    if (differences === 0) break;
    edits.push(x === previousX ? { mark: '+', line: b[previousY] ?? '' } : { mark: '-', line: a[previousX] ?? '' });
    x = previousX;
    y = previousY;
  }
  return edits.reverse();
}

interface Hunk {
  readonly edits: Edit[];
  readonly oldStart: number;
  readonly newStart: number;
}

function hunksOf(edits: readonly Edit[]): Hunk[] {
  const hunks: Hunk[] = [];
  const near = nearChanges(edits);
  let oldLine = 1;
  let newLine = 1;
  for (const [index, edit] of edits.entries()) {
    if (near[index] === true) {
      if (near[index - 1] !== true) hunks.push({ edits: [], oldStart: oldLine, newStart: newLine });
      hunks.at(-1)?.edits.push(edit);
    }
    if (edit.mark !== '+') oldLine++;
    if (edit.mark !== '-') newLine++;
  }
  return hunks;
}

function nearChanges(edits: readonly Edit[]): boolean[] {
  const near = new Array<boolean>(edits.length).fill(false);
  for (const [index, { mark }] of edits.entries()) {
    if (mark === ' ') continue;
    const last = Math.min(index + CONTEXT_LINES, edits.length - 1);
    for (let place = Math.max(0, index - CONTEXT_LINES); place <= last; place++) near[place] = true;
  }
  return near;
}

function hunkText({ edits, oldStart, newStart }: Hunk): string {
  const count = (other: '+' | '-'): number => edits.filter(({ mark }) => mark !== other).length;
  const range = (start: number, lines: number): string => {
    const from = lines === 0 ? start - 1 : start;
    return lines === 1 ? `${from}` : `${from},${lines}`;
  };
  const head = `@@ -${range(oldStart, count('+'))} +${range(newStart, count('-'))} @@`;
  return `${head}\n${edits.map(({ mark, line }) => `${mark}${line}\n`).join('')}`;
}
