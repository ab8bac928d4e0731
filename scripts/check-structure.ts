/**
 * Fails on imports against the direction of ARCHITECTURE.md, deep imports into another package, import cycles, and ambient
 * I/O outside the composition roots. Prints the figures of the house style as a report.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** A package may import only packages named before it. */
const ORDER = [
  'ports',
  'wire',
  'model',
  'grpc',
  'talos',
  'kube',
  'kubeapi',
  'cosi',
  'siderolink',
  'plane',
  'node',
  'agent',
  'cli',
  'bloomery',
  'lab',
];
/** Where the outside world may be touched directly: composition roots, the command line, what runs in boot images, the lab. */
const ROOTS = new Set(['bloomery', 'cli', 'lab', 'agent']);
const AMBIENT =
  /\b(?:process\.(?:env|argv)|Date\.now\(|Math\.random\(|(?<![.\w])setTimeout\(|(?<![.\w])setInterval\(|console\.(?:log|error|warn|info)\()/;
/** Adapters that wrap ambient time on purpose. */
const AMBIENT_ALLOWED = new Set(['packages/ports/src/system-clock.ts']);

const root = join(import.meta.dirname, '..');
const files = globSync('packages/*/src/**/*.ts', { cwd: root }).sort();
const sources = files.filter((f) => !f.endsWith('.test.ts') && !f.includes('/gen/') && !f.includes('/testing/'));
const problems: string[] = [];
const report: string[] = [];

const packageOf = (file: string): string => file.split('/')[1] ?? '';
const text = new Map(files.map((f) => [f, readFileSync(join(root, f), 'utf8')]));
const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gms;

function importsOf(file: string): { readonly specifier: string; readonly typeOnly: boolean }[] {
  return [...(text.get(file) ?? '').matchAll(IMPORT)].map((m) => ({
    specifier: m[2] ?? '',
    typeOnly: m[1] !== undefined,
  }));
}

for (const file of files) {
  const own = packageOf(file);
  const isTest = file.endsWith('.test.ts') || file.includes('/testing/');
  for (const { specifier } of importsOf(file)) {
    if (specifier.startsWith('@bloomery/')) {
      const [, name = '', ...deep] = specifier.split('/');
      const mayUseTesting = isTest || own === 'lab';
      if (deep.length > 0 && !(mayUseTesting && deep.join('/') === 'testing'))
        problems.push(`${file}: deep import of ${specifier}; import @bloomery/${name}`);
      if (name !== own && ORDER.indexOf(name) >= ORDER.indexOf(own) && !isTest)
        problems.push(`${file}: ${own} must not import ${name} (order: ${ORDER.join(' → ')})`);
    } else if (specifier.startsWith('.')) {
      const target = relative(root, resolve(root, dirname(file), specifier));
      if (packageOf(target) !== own) problems.push(`${file}: reaches into another package with ${specifier}`);
    }
  }
  if (isTest || ROOTS.has(own) || file.includes('/gen/') || AMBIENT_ALLOWED.has(file)) continue;
  for (const [index, line] of (text.get(file) ?? '').split('\n').entries()) {
    if (AMBIENT.test(line) && !/^\s*(?:\*|\/\/)/.test(line))
      problems.push(`${file}:${index + 1}: ambient I/O; receive it from outside`);
  }
}

const graph = new Map(
  sources.map((file) => [
    file,
    importsOf(file)
      .filter((i) => i.specifier.startsWith('.') && !i.typeOnly)
      .map((i) => relative(root, resolve(root, dirname(file), i.specifier))),
  ]),
);
const state = new Map<string, 'open' | 'done'>();
function visit(file: string, path: readonly string[]): void {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    problems.push(`import cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
    return;
  }
  state.set(file, 'open');
  for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
  state.set(file, 'done');
}
for (const file of graph.keys()) visit(file, []);

const lineCounts = sources.map((f) => (text.get(f) ?? '').split('\n').length).sort((a, b) => a - b);
const at = (q: number): number => lineCounts[Math.min(lineCounts.length - 1, Math.floor(lineCounts.length * q))] ?? 0;
const total = lineCounts.reduce((a, b) => a + b, 0);
const count = (pattern: RegExp): number =>
  sources.reduce((n, f) => n + ((text.get(f) ?? '').match(pattern)?.length ?? 0), 0);
const testLines = files
  .filter((f) => f.endsWith('.test.ts'))
  .reduce((n, f) => n + (text.get(f) ?? '').split('\n').length, 0);
const perThousand = (n: number): string => ((n * 1000) / Math.max(1, total)).toFixed(2);
report.push(`source files ${sources.length}, lines ${total}; per file median ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)}`);
report.push(
  `per 1000 lines: any ${perThousand(count(/[:<]\s*any\b/g))}, as-casts ${perThousand(count(/\bas (?!const\b)[A-Z{(]/g))}`,
);
report.push(`test lines per source line ${(testLines / Math.max(1, total)).toFixed(2)}`);
for (const file of sources) {
  const lines = (text.get(file) ?? '').split('\n').length;
  if (lines > 600) report.push(`long file: ${file} has ${lines} lines`);
}

for (const line of report) console.log(`structure: ${line}`);
for (const problem of problems) console.error(`structure: ${problem}`);
if (problems.length > 0) process.exit(1);
console.log('structure: import direction, cycles and ambient I/O are clean');
