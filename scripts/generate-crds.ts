/**
 * Writes deploy/crds/*.yaml from the kinds of packages/model.
 * usage: generate-crds.ts
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allKinds, crdFiles } from '@bloomery/model';

const directory = join(import.meta.dirname, '../deploy/crds');
mkdirSync(directory, { recursive: true });
const files = crdFiles(allKinds);
for (const stale of readdirSync(directory).filter((name) => !files.some((f) => f.name === name))) {
  rmSync(join(directory, stale));
}
for (const { name, text } of files) writeFileSync(join(directory, name), text);
console.log(`${files.length} files in deploy/crds`);
// The files for clusterctl hold the same definitions.
await import('./generate-clusterctl.ts');
