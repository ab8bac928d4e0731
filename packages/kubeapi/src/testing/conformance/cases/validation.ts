import type { JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { content, thing } from '../objects.ts';
import type { Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

/** Create Things of these specs, each under a name of its own; what is stored, or why it is refused. */
async function create(s: Session, ...specs: readonly JsonObject[]): Promise<void> {
  for (const [i, spec] of specs.entries()) {
    await s.post(s.api(THING, 'things'), thing(`t${i}`, { size: 1, ...spec }), { look: content });
  }
}

/** What the schema of a custom resource prunes, defaults and refuses. */
export const validation = area('validation', {
  'integers and their bounds': (s) =>
    create(
      s,
      { size: 0 },
      { size: 100 },
      { size: 101 },
      { size: -1 },
      { size: '1' },
      { size: 1.5 },
      { size: true },
      { size: null },
      { size: [] },
      { size: {} },
      { i32: 3_000_000_000 },
      { i32: 1.0 },
    ),
  'a literal 2.0 is an integer, large numbers stay exact': async (s) => {
    let n = 0;
    const post = (spec: string) =>
      s.post(
        s.api(THING, 'things'),
        `{"apiVersion":"${THING}","kind":"Thing","metadata":{"name":"t${n++}"},"spec":${spec}}`,
        { look: (b) => (b['kind'] === 'Status' ? b : (b['spec'] ?? null)) },
      );
    await post('{"size":2.0}');
    await post('{"size":2e1}');
    await post('{"size":1,"free":{"big":9007199254740993,"bigger":9223372036854775807,"neg":-9007199254740993}}');
    await post('{"size":1,"free":{"float":1.50,"exp":1e3,"tiny":1e-7,"zero":-0.0,"whole":5.0}}');
    await post('{"size":1,"free":{"toobig":9223372036854775808}}');
    await post('{"size":9223372036854775807}');
  },
  'numbers, multiples and exclusive bounds': (s) =>
    create(s, { ratio: 0.5 }, { ratio: 0.7 }, { ratio: -0.5 }, { ratio: 2.5 }, { ratio: '1' }),
  'enums and their default': (s) =>
    create(s, { mode: 'fast' }, { mode: 'warp' }, { mode: '' }, { mode: null }, { mode: 5 }, {}),
  'texts with pattern and length': (s) =>
    create(
      s,
      { note: 'abc' },
      { note: '' },
      { note: 'ABC' },
      { note: 'abcdefghi' },
      { note: 'a1' },
      { note: 'äöü' },
      { note: 7 },
      { note: null },
      { note: 'toolongAND BAD' },
    ),
  'integers or texts': (s) =>
    create(
      s,
      { port: 80 },
      { port: 'http' },
      { port: 1.5 },
      { port: true },
      { port: null },
      { port: [] },
      { port: {} },
    ),
  'date and time': (s) =>
    create(
      s,
      { when: '2024-01-02T03:04:05Z' },
      { when: '2024-01-02T03:04:05.123+02:00' },
      { when: '2024-01-02' },
      { when: '2024-13-02T03:04:05Z' },
      { when: '2024-01-02 03:04:05Z' },
      { when: '2024-01-02T03:04:05' },
      { when: 'x' },
      { when: '2024-02-30T03:04:05Z' },
      { when: '' },
      { when: '2024-01-02t03:04:05z' },
    ),
  'ipv4 addresses': (s) =>
    create(
      s,
      { addr: '10.0.0.1' },
      { addr: '10.0.0.256' },
      { addr: '::1' },
      { addr: '010.0.0.1' },
      { addr: '10.0.0' },
      { addr: '' },
      { addr: '::ffff:10.0.0.1' },
    ),
  networks: (s) =>
    create(
      s,
      { net: '10.0.0.0/8' },
      { net: '10.0.0.1/8' },
      { net: '::/0' },
      { net: '10.0.0.0' },
      { net: '10.0.0.0/33' },
      { net: 'x' },
    ),
  'hardware addresses': (s) =>
    create(
      s,
      { mac: '00:11:22:33:44:55' },
      { mac: '00-11-22-33-44-55' },
      { mac: '0011.2233.4455' },
      { mac: '00:11:22:33:44' },
      { mac: 'AA:bb:CC:dd:EE:ff' },
      { mac: 'x' },
    ),
  durations: (s) =>
    create(
      s,
      { dur: '1h30m' },
      { dur: '10s' },
      { dur: '1 day' },
      { dur: '5' },
      { dur: '-1s' },
      { dur: '1.5h' },
      { dur: 'x' },
      { dur: '2 weeks' },
      { dur: '' },
      { dur: '3ms' },
    ),
  bytes: (s) =>
    create(
      s,
      { b64: 'aGVsbG8=' },
      { b64: 'aGVsbG8' },
      { b64: '???' },
      { b64: '' },
      { b64: 'aGVs bG8=' },
      { b64: '-_-_' },
    ),
  uuids: (s) =>
    create(
      s,
      { id: '123e4567-e89b-12d3-a456-426614174000' },
      { id: '123E4567E89B12D3A456426614174000' },
      { id: '123e4567' },
      { id: 'zzze4567-e89b-12d3-a456-426614174000' },
    ),
  'nullable fields and their defaults': (s) =>
    create(
      s,
      { maybe: null },
      { maybe: 'x' },
      { maybeDefault: null },
      { maybeDefault: 'y' },
      { maybe: 5 },
      { flag: null },
      { nested: null },
      { tags: null },
      { strings: null },
    ),
  'defaults of nested objects': (s) =>
    create(
      s,
      {},
      { nested: {} },
      { nested: { a: 'y' } },
      { nested: { deep: {} } },
      { nested: { deep: { n: 1 } } },
      { nested: { deep: null } },
      { objs: [{}, { k: 'x', v: 2 }, { v: null }] },
      { half: {} },
      { half: { a: null, x: 1 } },
    ),
  'unknown fields are pruned, except where they are preserved': (s) =>
    create(
      s,
      { unknown: 1, nested: { unknown: 2, a: 'z' } },
      { free: { any: { thing: [1, 'x', null] } } },
      { half: { a: 1, b: { c: 2 } } },
      { objs: [{ k: 'a', zz: 1 }] },
      { ports: [{ name: 'a', zz: 1 }] },
      { free: null },
      { free: 5 },
      { free: [] },
    ),
  'maps of texts': (s) =>
    create(
      s,
      { strings: { a: '1' } },
      { strings: { a: 1 } },
      { strings: { a: null } },
      { strings: { a: '1', b: '2', c: '3', d: '4' } },
      { strings: ['a'] },
      { strings: 'a' },
      { strings: {} },
    ),
  sets: (s) =>
    create(
      s,
      { tags: ['a', 'b'] },
      { tags: ['a', 'a'] },
      { tags: ['a', 'b', 'a', 'b'] },
      { tags: ['a', 'b', 'c', 'd', 'e'] },
      { tags: [] },
      { tags: [1] },
      { tags: 'a' },
      { tags: [null] },
    ),
  'plain lists': (s) =>
    create(s, { plain: ['a', 'a'] }, { plain: [] }, { plain: ['a', 1, 'b', {}] }, { plain: [null] }, { plain: {} }),
  'lists that are maps': (s) =>
    create(
      s,
      { ports: [{ name: 'a' }, { name: 'b', proto: 'udp' }] },
      { ports: [{ name: 'a' }, { name: 'a' }] },
      { ports: [{ port: 1 }] },
      { ports: [{ name: 1 }] },
      { ports: [{ name: 'a', port: 'x' }] },
      { ports: ['a'] },
      { ports: [null] },
      { ports: [{ name: null }] },
      { routes: [{ net: 'a' }, { net: 'a', metric: 100 }] },
      { routes: [{ net: 'a' }, { net: 'a', metric: 101 }] },
      { routes: [{ metric: 5 }] },
    ),
  'one of several shapes': (s) =>
    create(s, { one: { x: 'a' } }, { one: {} }, { one: { x: 'a', y: 'b' } }, { one: { x: 1 } }, { one: null }),
  'any of several shapes': (s) =>
    create(s, { any: { x: 'a' } }, { any: { x: 'a', y: 'b' } }, { any: {} }, { any: { z: 1 } }),
  'what must not be': (s) => create(s, { notz: 'a' }, { notz: 'z' }, { notz: 5 }),
  'an embedded resource': (s) =>
    create(
      s,
      { emb: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', unknown: 1 }, spec: { a: 1 } } },
      { emb: {} },
      { emb: { apiVersion: 'v1' } },
      { emb: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'Bad Name' } } },
      { emb: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { 'bad key': 'x' } } } },
      { emb: { apiVersion: 'a/b/c', kind: 'Pod' } },
      { emb: { apiVersion: '', kind: '' } },
      { emb: { apiVersion: 'v1', kind: 'bad kind' } },
      { emb: null },
    ),
  'a spec that is none': async (s) => {
    for (const spec of ['text', 5, null, [1], {}]) {
      await s.post(
        s.api(THING, 'things'),
        { apiVersion: THING, kind: 'Thing', metadata: { name: 't' }, spec },
        { look: 'gist' },
      );
    }
    await s.post(
      s.api(THING, 'things'),
      { apiVersion: THING, kind: 'Thing', metadata: { name: 't' } },
      { look: content },
    );
  },
  'several errors at once': (s) =>
    create(s, {
      size: 200,
      mode: 'x',
      note: 'TOO LONG TEXT',
      tags: ['a', 'a'],
      plain: [],
      ports: [{}],
      addr: 'x',
      strings: { a: 1 },
    }),
  'an update is validated as a create is, and what stays invalid may stay': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t', { size: 1, note: 'abc' }));
    for (const spec of [
      { size: 101 },
      { mode: 'x' },
      { note: 'X' },
      { tags: ['a', 'a'] },
      { one: {} },
      { ports: [{ name: 'a' }, { name: 'a' }] },
    ])
      await s.patch(s.api(THING, 'things/t'), { spec }, { look: content });
  },
  'status is validated as well': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t'));
    for (const status of [
      { n: 'x' },
      { phase: 1 },
      { conditions: [{ type: 'A' }, { type: 'A' }] },
      { conditions: [{}] },
      { unknown: 1, phase: 'ok' },
      'text',
    ])
      await s.patch(s.api(THING, 'things/t/status'), { status }, { look: content });
  },
});
