import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chooseName } from './choose-name.ts';
import { DEFAULT_NAMING_SCHEME, parseNamingScheme } from './naming-scheme.ts';
import { type PredictableNames, predictableNames } from './predictable-names.ts';
import { fakeSysfs, type SysfsTree } from './testing/fake-sysfs.ts';

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors');
const file = join(root, 'node/predictable_names.json');

interface Expected {
  readonly properties: Readonly<Record<string, string>>;
  readonly name: string | null;
}

interface NameCase {
  readonly name: string;
  readonly syspath: string;
  readonly sysfs: SysfsTree;
  /** By scheme, or `all`. */
  readonly expected: Readonly<Record<string, Expected>>;
}

const PROPERTIES = [
  ['mac', 'ID_NET_NAME_MAC'],
  ['onboard', 'ID_NET_NAME_ONBOARD'],
  ['label', 'ID_NET_LABEL_ONBOARD'],
  ['path', 'ID_NET_NAME_PATH'],
  ['slot', 'ID_NET_NAME_SLOT'],
] as const;

function asProperties(names: PredictableNames): Readonly<Record<string, string>> {
  return Object.fromEntries(
    PROPERTIES.flatMap(([key, property]) => {
      const name = names[key];
      return name === undefined ? [] : [[property, name]];
    }),
  );
}

const skip = existsSync(file) ? false : `${file} does not exist`;
describe('vectors: node/predictable_names', { skip }, () => {
  const cases: readonly NameCase[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
  for (const { name, syspath, sysfs, expected } of cases) {
    for (const [schemes, want] of Object.entries(expected)) {
      const list = schemes === 'all' ? ['v252', 'v255', 'v257', 'v261'] : schemes.split(',');
      it(`${name} (${schemes})`, () => {
        for (const text of list) {
          const scheme = parseNamingScheme(text) ?? DEFAULT_NAMING_SCHEME;
          const names = predictableNames(fakeSysfs(sysfs), syspath, scheme);
          assert.deepEqual(asProperties(names), { ...want.properties }, text);
          const choice = chooseName(names, undefined, true);
          assert.equal(choice.do === 'rename' ? choice.name : null, want.name, text);
        }
      });
    }
  }
});
