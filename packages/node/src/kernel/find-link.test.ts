import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeKernel } from '../testing/index.ts';
import { findLink } from './find-link.ts';

describe('a link that is looked for by any of its names', () => {
  const { view, plug } = createFakeKernel();
  plug({ name: 'eth0', alias: 'eth1', altNames: ['net2', 'eth3'] });
  plug({ name: 'eth1', alias: 'net2', altNames: ['net5'] });
  plug({ name: 'eth2' });
  plug({ name: 'eth3' });
  const cases: readonly [name: string, what: string, want: string | undefined][] = [
    ['eth0', 'by its own name', 'eth0'],
    ['eth1', 'by its own name, though it is the alias of another', 'eth1'],
    ['net2', 'by its alias, though it is an alternative name of another', 'eth1'],
    ['eth3', 'by its own name, though it is an alternative name of another', 'eth3'],
    ['net5', 'by an alternative name', 'eth1'],
    ['eth9', 'is none where nobody has the name', undefined],
    ['', 'is none without a name, though links without an alias have just that', undefined],
  ];
  for (const [name, what, want] of cases)
    it(`${JSON.stringify(name)} ${what}`, () => assert.equal(findLink(view, name)?.name, want));
});
