import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { cleanMappings, releaseStartPages } from './start-pages.ts';

const mapping = (range: string, rights: string, path: string, anonymousKiB: number): string =>
  `${range} ${rights} 00346000 00:23 8407                            ${path}
Size:                 12 kB
Rss:                   8 kB
Private_Dirty:         0 kB
Anonymous:             ${anonymousKiB} kB
VmFlags: rd ex mr mw me sd
`;

describe('pages of an executable that can be given back', () => {
  const cases: [name: string, smaps: string, want: readonly { address: number; length: number }[]][] = [
    [
      'its code and its tables are',
      mapping('00400000-00746000', 'r--p', '/bin/node', 0) + mapping('00746000-00749000', 'r-xp', '/bin/node', 0),
      [
        { address: 0x400000, length: 0x346000 },
        { address: 0x746000, length: 0x3000 },
      ],
    ],
    ['what was relocated at its start is not', mapping('00400000-00746000', 'r--p', '/bin/node', 8), []],
    ['its variables are not', mapping('00400000-00746000', 'rw-p', '/bin/node', 0), []],
    ['what others share is not', mapping('00400000-00746000', 'r--s', '/bin/node', 0), []],
    ['a library is not: it may be unloaded meanwhile', mapping('00400000-00746000', 'r-xp', '/lib/libc.so.6', 0), []],
    ['a file that was replaced is not', mapping('00400000-00746000', 'r-xp', '/bin/node (deleted)', 0), []],
    ['memory without a file is not', mapping('00400000-00746000', 'r-xp', '', 0), []],
    ['what nothing is said of is not', '00400000-00746000 r-xp 00000000 00:23 8407   /bin/node\n', []],
    [
      'addresses beyond 32 bits are whole',
      mapping('7fd8bea80000-7fd8bea81000', 'r-xp', '/bin/node', 0),
      [{ address: 0x7fd8bea80000, length: 0x1000 }],
    ],
  ];
  for (const [name, smaps, want] of cases) it(name, () => assert.deepEqual(cleanMappings(smaps, '/bin/node'), want));

  it('are given back by this process', async () => {
    const before = residentOfFilesKiB();
    await releaseStartPages();
    const after = residentOfFilesKiB();
    assert.ok(after < before * 0.8, `${after} of ${before} KiB are left`);
  });
});

const residentOfFilesKiB = (): number =>
  Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
