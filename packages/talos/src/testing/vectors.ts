import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A vector file: `cases` and what they share. */
export interface VectorFile<C> {
  readonly cases: readonly C[];
  readonly common?: unknown;
}

/** Read `<area>/<file>.json` under VECTORS (default test/vectors). undefined, with a printed reason, when it is not there. */
export function readVectors<C>(path: string): VectorFile<C> | undefined {
  const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors');
  const file = join(root, path);
  if (!existsSync(file)) {
    process.stdout.write(`# skipped: no vector file ${file}\n`);
    return undefined;
  }
  return JSON.parse(readFileSync(file, 'utf8')) as VectorFile<C>;
}
