import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import type { DnsUpstreamSetting } from './host-dns.ts';
import { UpstreamGroups } from './upstream-groups.ts';

const at = (port: number, more: Partial<DnsUpstreamSetting> = {}): DnsUpstreamSetting => ({
  address: '127.0.0.1',
  port,
  protocol: 'Do53',
  ...more,
});

function makeGroups(): UpstreamGroups {
  return new UpstreamGroups({ clock: createFakeClock(), random: (length) => new Uint8Array(length), changed() {} });
}

describe('groups of upstreams', () => {
  it('say whether anything changed, also the order', () => {
    using groups = makeGroups();
    const none = new Map<string, DnsUpstreamSetting[]>();
    assert.equal(groups.configure({ upstreams: [at(1), at(2)], domains: none }), true);
    assert.equal(groups.configure({ upstreams: [at(1), at(2)], domains: none }), false);
    assert.equal(groups.configure({ upstreams: [at(2), at(1)], domains: none }), true);
    assert.equal(groups.configure({ upstreams: [at(2), at(1)], domains: new Map([['a', [at(1)]]]) }), true);
    assert.equal(
      groups.configure({ upstreams: [at(2), at(1, { protocol: 'DoT', tlsServerName: 'x' })], domains: none }),
      true,
    );
  });
  it('keep what they know of a server that stays', () => {
    using groups = makeGroups();
    groups.configure({ upstreams: [at(1), at(2)], domains: new Map() });
    const [first, second] = groups.all;
    groups.configure({ upstreams: [at(3), at(2)], domains: new Map([['corp', [at(1)]]]) });
    assert.equal(groups.groupOf('host.corp').upstreams[0], first);
    assert.equal(groups.groupOf('host').upstreams[1], second);
    assert.equal(groups.all.length, 3);
  });
  it('one server in two groups is one', () => {
    using groups = makeGroups();
    groups.configure({
      upstreams: [at(1)],
      domains: new Map([
        ['corp', [at(1)]],
        ['lab', [at(1)]],
      ]),
    });
    assert.equal(groups.all.length, 1);
  });

  const cases: [name: string, domain: string | undefined][] = [
    ['corp', 'corp'],
    ['host.corp', 'corp'],
    ['a.b.lab.corp', 'lab.corp'],
    ['lab.corp', 'lab.corp'],
    ['notcorp', undefined],
    ['corp.example', undefined],
    ['', undefined],
  ];
  for (const [name, domain] of cases) {
    it(`"${name}" is of ${domain ?? 'none'}`, () => {
      using groups = makeGroups();
      groups.configure({
        upstreams: [at(1)],
        domains: new Map([
          ['Corp', [at(2)]],
          ['lab.corp', [at(3)]],
        ]),
      });
      assert.equal(groups.groupOf(name).domain, domain);
    });
  }
  it('the root may be a domain, too', () => {
    using groups = makeGroups();
    groups.configure({ upstreams: [at(1)], domains: new Map([['', [at(2)]]]) });
    assert.equal(groups.groupOf('').domain, '');
  });
  it('nothing is left afterwards', () => {
    const groups = makeGroups();
    groups.configure({ upstreams: [at(1)], domains: new Map() });
    groups[Symbol.dispose]();
    assert.deepEqual([groups.all, groups.groupOf('a').upstreams], [[], []]);
  });
});
