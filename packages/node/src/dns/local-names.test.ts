import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DnsQuestion, readDnsQuery } from '@bloomery/wire';
import { answerLocally, changedNames } from './local-names.ts';
import { decoded, questionOf } from './testing/dns-client.ts';

const names = {
  staticHosts: new Map([
    ['reg.corp', ['10.9.8.7', '10.9.8.8']],
    ['both', ['10.0.0.1']],
  ]),
  members: new Map([
    ['node-1', ['10.0.0.5', 'fd00::5']],
    ['node-4', ['10.0.0.6']],
    ['both', ['10.0.0.2']],
  ]),
};

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
    ['names below are others', { name: 'a.node-1' }, 'upstream'],
  ];
  for (const [name, question, want] of cases) it(name, () => assert.equal(answer(question), want));

  it('names that came, went or changed are told', () => {
    const before = new Map([
      ['same', ['1']],
      ['gone', ['1']],
      ['other', ['1']],
    ]);
    const after = new Map([
      ['same', ['1']],
      ['other', ['2']],
      ['new', ['1']],
    ]);
    assert.deepEqual(changedNames(before, after), ['gone', 'other', 'new']);
  });
});
