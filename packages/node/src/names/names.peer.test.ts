import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { it } from 'node:test';
import fc from 'fast-check';
import { parseNamingScheme } from './naming-scheme.ts';
import { type PredictableNames, predictableNames } from './predictable-names.ts';
import { openSysfs } from './sysfs.ts';
import { fakeSysfs } from './testing/fake-sysfs.ts';
import { anySysfs, type SysfsCase, soundSysfs } from './testing/sysfs-arbitrary.ts';
import { askNetId, canReplaceSysfs, udevadm, udevadmVersion } from './testing/udevadm.ts';

const version = udevadmVersion();
const skip =
  version === undefined
    ? `${udevadm} does not run: make setup`
    : canReplaceSysfs()
      ? false
      : 'needs root to put trees in the place of /sys';
const SCHEMES = ['v247', 'v249', 'v250', 'v251', 'v252', 'v253', 'v254', 'v255', 'v257', 'v259', 'v260'];
const known = SCHEMES.filter((scheme) => Number(scheme.slice(1)) <= (version ?? 0));
/** The first whose answers for damaged hardware are the ones that ours are like. */
const STRICT_SINCE = 255;
const TREES = Number(process.env['NAME_TREES'] ?? 150);

const asProperties = ({ onboard, label, slot, path, mac }: PredictableNames): Record<string, string> => {
  const all = {
    ID_NET_NAME_MAC: mac,
    ID_NET_LABEL_ONBOARD: label,
    ID_NET_NAME_ONBOARD: onboard,
    ID_NET_NAME_PATH: path,
    ID_NET_NAME_SLOT: slot,
  };
  return Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
};

const ours = (reader: Parameters<typeof predictableNames>[0], syspath: string, scheme: string) =>
  asProperties(predictableNames(reader, syspath, parseNamingScheme(scheme)));

it('interfaces of hardware of all kinds have the names that systemd gives them', { skip }, () => {
  const seed = Number(process.env['NAME_SEED'] ?? 7);
  const trees: readonly SysfsCase[] = fc.sample((version ?? 0) >= STRICT_SINCE ? anySysfs : soundSysfs, {
    numRuns: TREES,
    seed,
  });
  const questions = trees.map(({ tree, syspath }, i) => ({ tree, syspath, scheme: known[i % known.length] ?? 'v252' }));
  const theirs = askNetId(questions);
  questions.forEach(({ tree, syspath, scheme }, i) => {
    const explain = `seed ${seed}, tree ${i}, ${scheme}: ${JSON.stringify({ syspath, ...tree }, undefined, 1)}`;
    assert.deepEqual(ours(fakeSysfs(tree), syspath, scheme), theirs[i], explain);
  });
});

it('the interfaces of this host have the names that systemd gives them', { skip }, () => {
  const questions = readdirSync('/sys/class/net').map((name) => ({ syspath: `class/net/${name}`, scheme: 'v252' }));
  const sysfs = openSysfs('/');
  const ourNames = questions.map(({ syspath, scheme }) => ours(sysfs, syspath, scheme));
  assert.deepEqual(ourNames, askNetId(questions));
});
