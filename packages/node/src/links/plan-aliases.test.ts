import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeDocument } from '../config/node-config.ts';
import { loadLinkExpressions } from './link-expression.ts';
import { planAliases } from './plan-aliases.ts';
import { linkStatus } from './testing/link-status.ts';

const links = [
  linkStatus('eth0', { index: 2, driver: 'e1000e', permanentAddr: '00:1a:2b:00:00:09', mtu: 1500, linkState: true }),
  linkStatus('eth1', { index: 3, driver: 'e1000e', permanentAddr: '00:1a:2b:00:00:01', altNames: ['enp7s0'] }),
  linkStatus('eth2', { index: 4, driver: 'alx', hardwareAddr: '00:1a:2b:00:00:05', pciID: '1969:E0B1' }),
  linkStatus('bond0', { index: 5, kind: 'bond', hardwareAddr: '00:1a:2b:00:00:01', driver: 'e1000e' }),
];
const alias = (name: string, match: string, line = 1): NodeDocument => ({
  ...{ kind: 'LinkAliasConfig', name, line, value: { selector: { match } } },
});

describe('selectors in CEL', async () => {
  const matches = await loadLinkExpressions();
  const cases: readonly [expression: string, want: readonly string[]][] = [
    ['link.driver == "e1000e"', ['eth0', 'eth1', 'bond0']],
    ['mac(link.permanent_addr) == "00:1a:2b:00:00:01"', ['eth1']],
    ['glob("00:1a:2b:*:09", mac(link.permanent_addr))', ['eth0']],
    ['mac(link.permanent_addr) == ""', ['eth2', 'bond0']],
    ['link.permanent_addr == b"\\x00\\x1a\\x2b\\x00\\x00\\x01"', ['eth1']],
    ['link.index == 2u || link.pciid.startsWith("1969")', ['eth0', 'eth2']],
    ['link.mtu >= 1500u && link.link_state', ['eth0']],
    ['link.type == 1 && link.kind == "bond"', ['bond0']],
    ['"enp7s0" in link.alt_names', ['eth1']],
    ['int(link.mtu) - 1500 == 0 && link.link_state', ['eth0']],
    ['link.speed_megabits == 0 && link.port == 0 && link.flags == 0u', ['eth0', 'eth1', 'eth2', 'bond0']],
    ['false', []],
  ];
  for (const [expression, want] of cases) {
    it(expression, () => {
      assert.deepEqual(
        links.filter(({ spec }) => matches(expression, spec)).map(({ metadata }) => metadata.id),
        want,
      );
    });
  }
});

describe('aliases of links', async () => {
  const matches = await loadLinkExpressions();
  const plan = (...documents: readonly NodeDocument[]) => planAliases(documents, links, matches);

  it('are given to the one link that a fixed name matches', () => {
    const { aliases, warnings } = plan(alias('net0', 'link.driver == "alx"'));
    assert.deepEqual([...aliases], [['eth2', 'net0']]);
    assert.deepEqual(warnings, []);
  });

  it('of a fixed name are for no link when several match', () => {
    const { aliases, warnings } = plan(alias('net0', 'link.driver == "e1000e"', 7));
    assert.equal(aliases.size, 0);
    const why = 'matches eth1, eth0, but its name is for one link: no link gets it';
    assert.deepEqual(warnings, [`LinkAliasConfig net0, line 7: ${why}`]);
  });

  it('number the matches of a pattern by the bytes of their addresses', () => {
    const { aliases } = plan(alias('net%d', 'true'));
    assert.deepEqual(
      [...aliases],
      [
        ['eth1', 'net0'],
        ['eth2', 'net1'],
        ['eth0', 'net2'],
      ],
    );
  });

  it('are the first in the order of the names; later ones are told so', () => {
    const { aliases, warnings } = plan(alias('z', 'link.driver == "alx"', 3), alias('a%d', 'link.index > 3u'));
    assert.deepEqual([...aliases], [['eth2', 'a0']]);
    assert.deepEqual(warnings, ['LinkAliasConfig z, line 3: link eth2 already is a0']);
  });

  it('whose selector cannot be evaluated are a warning, and the others are given', () => {
    const { aliases, warnings } = plan(alias('a', 'link.nosuch == 1', 2), alias('b', 'link.driver == "alx"'));
    assert.deepEqual([...aliases], [['eth2', 'b']]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^LinkAliasConfig a, line 2: its selector cannot be evaluated: .*nosuch/);
  });

  it('are given by no other documents', () => {
    assert.equal(plan({ kind: 'LinkConfig', name: 'eth0', line: 1, value: {} }).aliases.size, 0);
  });
});
