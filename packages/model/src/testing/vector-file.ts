import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../json.ts';
import { parseJson } from '../json-text.ts';
import { isJsonObject } from '../kind.ts';

/** The cases of a vector file, and why they are skipped when the file is not there. */
export interface VectorFile {
  readonly cases: readonly JsonObject[];
  readonly skip: string | false;
}

/** Read `<area>/<file>.json` of the vectors: VECTORS, else test/vectors of this repository. For tests. */
export function readVectorFile(name: string): VectorFile {
  const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors');
  const path = join(root, name);
  if (!existsSync(path)) return { cases: [], skip: `${path} does not exist` };
  const whole = parseJson(readFileSync(path, 'utf8'));
  const cases = isJsonObject(whole) ? whole['cases'] : undefined;
  return { cases: Array.isArray(cases) ? cases.filter((c) => isJsonObject(c)) : [], skip: false };
}
