import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parsePrefix } from '../ip/ip-prefix.ts';
import { RouteSpec } from '../resources/routes.ts';
import { routeId } from './route-id.ts';
import { blackholeRoute, readRoute, tableName, type WrittenRoute } from './route-spec.ts';

const written = (values: Partial<WrittenRoute>): WrittenRoute => ({
  linkName: 'eth0',
  destination: '',
  gateway: '',
  source: '',
  metric: 0,
  mtu: 0,
  table: '',
  layer: 'configuration',
  ...values,
});

function read(values: Partial<WrittenRoute>): RouteSpec {
  const reading = readRoute(written(values));
  return reading.ok ? reading.spec : assert.fail(`${reading.part} ${reading.text} cannot be read`);
}

const cases: [written: Partial<WrittenRoute>, id: string, scope: string, type: string][] = [
  [{ gateway: '10.0.0.1' }, 'inet4/10.0.0.1//1024', 'global', 'unicast'],
  [{ destination: '0.0.0.0/0', gateway: '10.0.0.1', metric: 5 }, 'inet4/10.0.0.1//5', 'global', 'unicast'],
  [{ destination: '::/0', gateway: 'FE80:0::1' }, 'eth0/inet6/fe80::1//1024', 'global', 'unicast'],
  [{ destination: '10.0.0.0/8', gateway: '10.0.0.1' }, 'inet4/10.0.0.1/10.0.0.0/8/1024', 'global', 'unicast'],
  [{ destination: '10.0.0.0/8' }, 'inet4//10.0.0.0/8/1024', 'link', 'unicast'],
  [{ destination: '10.0.0.0/8', gateway: '0.0.0.0' }, 'inet4//10.0.0.0/8/1024', 'link', 'unicast'],
  [{ destination: 'fd00::/8', gateway: '::' }, 'eth0/inet6//fd00::/8/1024', 'link', 'unicast'],
  [{ destination: '127.1.0.0/16', gateway: '10.0.0.1' }, 'inet4/10.0.0.1/127.1.0.0/16/1024', 'host', 'unicast'],
  [{ destination: '224.0.0.0/4' }, 'inet4//224.0.0.0/4/1024', 'link', 'multicast'],
  [{ destination: '::/0' }, 'eth0/inet6///1024', 'global', 'unicast'],
  [{}, 'inet4///1024', 'global', 'unicast'],
  [{ source: '::' }, 'eth0/inet6///1024', 'global', 'unicast'],
  [{ source: 'fd00::7' }, 'eth0/inet6///1024', 'global', 'unicast'],
  [{ gateway: '10.0.0.1', source: 'fd00::7' }, 'inet4/10.0.0.1//1024', 'global', 'unicast'],
  [{ destination: '10.1.0.0/16', source: 'fd00::7' }, 'inet4//10.1.0.0/16/1024', 'link', 'unicast'],
  [{ gateway: '10.0.0.1', table: 'main' }, 'inet4/10.0.0.1//1024', 'global', 'unicast'],
  [{ gateway: '10.0.0.1', table: '254' }, 'inet4/10.0.0.1//1024', 'global', 'unicast'],
  [{ gateway: '10.0.0.1', table: '100' }, '100/inet4/10.0.0.1//1024', 'global', 'unicast'],
  [{ gateway: 'fe80::1', table: 'local' }, 'local/eth0/inet6/fe80::1//1024', 'global', 'unicast'],
];

describe('routes', () => {
  for (const [given, id, scope, type] of cases) {
    it(`${JSON.stringify(given)} is ${id}`, () => {
      const spec = read(given);
      assert.deepEqual([routeId(spec), spec.scope, spec.type, spec.protocol], [id, scope, type, 'static']);
    });
  }

  const unreadable: [written: Partial<WrittenRoute>, part: string][] = [
    [{ destination: '10.0.0.0' }, 'destination'],
    [{ gateway: '10.0.0.1/8' }, 'gateway'],
    [{ gateway: 'router' }, 'gateway'],
    [{ destination: '10.0.0.0/8', gateway: 'fe80::1' }, 'gateway'],
    [{ destination: 'fd00::/8', gateway: '10.0.0.1' }, 'gateway'],
    [{ source: '10.0.0' }, 'source'],
    [{ table: 'mine' }, 'table'],
    [{ table: '4294967296' }, 'table'],
    [{ table: 'toString' }, 'table'],
  ];
  for (const [given, part] of unreadable) {
    it(`${JSON.stringify(given)} is refused for its ${part}`, () => {
      const reading = readRoute(written(given));
      assert.equal(!reading.ok && reading.part, part);
    });
  }

  it('are shown as Talos shows them', () => {
    const yaml = `family: inet4
dst: ""
src: ""
gateway: 10.0.0.1
outLinkName: eth0
table: main
priority: 1024
scope: global
type: unicast
flags: ""
protocol: static
layer: configuration
`;
    assert.equal(RouteSpec.codec.toYaml(read({ gateway: '10.0.0.1' })), yaml);
  });

  it('that swallow packets name a link only for IPv6', () => {
    const of = (text: string) => blackholeRoute(parsePrefix(text) ?? assert.fail(), 0, 'configuration');
    assert.equal(routeId(of('10.0.0.0/12')), 'inet4//10.0.0.0/12/1024');
    assert.equal(routeId(of('fd00::/8')), 'lo/inet6//fd00::/8/1024');
    assert.deepEqual([of('10.0.0.0/12').type, of('10.0.0.0/12').scope], ['blackhole', 'global']);
  });

  it('never cost more than a refusal, whatever is written', () => {
    const text = fc.oneof(fc.string({ maxLength: 20 }), fc.ipV4(), fc.ipV6(), fc.constantFrom('0.0.0.0/0', '::/0', ''));
    fc.assert(
      fc.property(text, text, text, text, (destination, gateway, source, table) => {
        const reading = readRoute(written({ destination, gateway, source, table }));
        if (reading.ok) assert.ok(routeId(reading.spec).length > 0);
      }),
    );
  });
});

describe('names of routing tables', () => {
  const names: [text: string, want: string | undefined][] = [
    ['', 'main'],
    ['main', 'main'],
    ['254', 'main'],
    ['0', 'unspec'],
    ['123', '123'],
    ['-1', undefined],
    ['1.5', undefined],
  ];
  for (const [text, want] of names) it(`${JSON.stringify(text)} is ${want}`, () => assert.equal(tableName(text), want));
});
