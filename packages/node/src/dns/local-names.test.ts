import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DnsQuestion, readDnsQuery } from '@bloomery/wire';
import { answerLocally, changedNames, localNames } from './local-names.ts';
import { decoded, questionOf } from './testing/dns-client.ts';

const names = localNames({
  staticHosts: new Map([
    ['reg.corp', ['10.9.8.7', '10.9.8.8']],
    ['both', ['10.0.0.1']],
  ]),
  members: new Map([
    ['node-1', ['10.0.0.5', 'fd00::5']],
    ['node-4', ['10.0.0.6']],
    ['both', ['10.0.0.2']],
    ['node-4.test', ['10.0.0.6', '10.9.8.7']],
  ]),
});

function answer(question: Partial<DnsQuestion>): string {
  const packet = questionOf(question);
  const reading = readDnsQuery(packet);
  assert.ok(reading?.ok);
  const found = answerLocally(packet, reading.query, names);
  if (found === undefined) return 'upstream';
  const { authoritative, answers } = decoded(found.message);
  assert.equal(authoritative, true);
  return [found.from, ...answers.map(({ text, ttlSeconds }) => `${text} ${ttlSeconds}`)].join(' ');
}

describe('what the host knows by itself', () => {
  const cases: [name: string, question: Partial<DnsQuestion>, want: string][] = [
    ['a static host', { name: 'reg.corp' }, 'static 10.9.8.7 10 10.9.8.8 10'],
    ['in any case', { name: 'REG.Corp' }, 'static 10.9.8.7 10 10.9.8.8 10'],
    ['has no other addresses elsewhere', { name: 'reg.corp', type: 28 }, 'static'],
    ['may have other records', { name: 'reg.corp', type: 15 }, 'upstream'],
    ['is only of class IN', { name: 'reg.corp', class: 3 }, 'upstream'],
    ['a member, IPv4', { name: 'node-1' }, 'member 10.0.0.5 10'],
    ['a member, IPv6', { name: 'node-1', type: 28 }, 'member fd00::5 10'],
    ['a member without the family', { name: 'node-4', type: 28 }, 'upstream'],
    ['a static host goes before a member', { name: 'both' }, 'static 10.0.0.1 10'],
    ['a static host by its address', { name: '7.8.9.10.in-addr.arpa', type: 12 }, 'static reg.corp. 10'],
    ['a member by its address', { name: `5${'.0'.repeat(29)}.d.f.IP6.arpa`, type: 12 }, 'member node-1. 10'],
    ['an address has the first of its names', { name: '6.0.0.10.in-addr.arpa', type: 12 }, 'member node-4. 10'],
    ['an address of nobody', { name: '9.9.9.9.in-addr.arpa', type: 12 }, 'upstream'],
    ['every address of the loopback', { name: '53.0.0.127.in-addr.arpa', type: 12 }, 'static localhost. 10'],
    ['the loopback network itself', { name: '127.in-addr.arpa', type: 12 }, 'upstream'],
    ['names of addresses are no hosts', { name: '7.8.9.10.in-addr.arpa' }, 'upstream'],
    ['names below are others', { name: 'a.node-1' }, 'upstream'],
  ];
  for (const [name, question, want] of cases) it(name, () => assert.equal(answer(question), want));

  it('names that came, went or changed are told, and those of their addresses', () => {
    const before = localNames({
      staticHosts: new Map([
        ['same', ['10.0.0.1']],
        ['gone', ['10.0.0.2']],
        ['other', ['10.0.0.3']],
      ]),
      members: new Map(),
    });
    const after = localNames({
      staticHosts: new Map([
        ['same', ['10.0.0.1']],
        ['other', ['10.0.0.4']],
      ]),
      members: new Map([['new', ['10.0.0.2']]]),
    });
    const reverse = (last: number): string => `${last}.0.0.10.in-addr.arpa`;
    assert.deepEqual(changedNames(before, after), [
      ...['gone', 'other', 'new'],
      ...[reverse(2), reverse(3), reverse(4), reverse(2)],
    ]);
  });
});
