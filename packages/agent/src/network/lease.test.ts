import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseLease } from './lease.ts';
import { planNetwork, resolverFile } from './plan-network.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const bound = ['event=bound', 'ip=10.77.0.50', 'mask=24', 'router=10.77.0.1', 'dns=10.77.0.1 9.9.9.9', 'hostname=m1'];

describe('a DHCP lease', () => {
  it('gives address, default route, name servers and host name', () => {
    assert.deepEqual(parseLease(bound.join('\n')), {
      address: '10.77.0.50',
      prefixLength: 24,
      routes: [{ destination: '0.0.0.0/0', gateway: '10.77.0.1' }],
      nameServers: ['10.77.0.1', '9.9.9.9'],
      hostname: 'm1',
    });
  });
  it('prefers classless routes to routers, and knows routes on the link', () => {
    const lease = parseLease([...bound, 'staticroutes=10.9.0.0/16 0.0.0.0 0.0.0.0/0 10.9.0.1', 'mtu=1400'].join('\n'));
    assert.deepEqual(lease?.routes, [
      { destination: '10.9.0.0/16' },
      { destination: '0.0.0.0/0', gateway: '10.9.0.1' },
    ]);
    assert.equal(lease?.mtu, 1400);
  });
  it('that failed is none', () => {
    assert.equal(parseLease('event=leasefail\n'), undefined);
    assert.equal(parseLease(''), undefined);
  });
  it('with hostile values never gives arguments that are not addresses', () => {
    const word = fc.constantFrom('ip', 'mask', 'router', 'dns', 'hostname', 'mtu', 'staticroutes', 'event');
    fc.assert(
      fc.property(fc.array(fc.tuple(word, fc.string({ maxLength: 40 })), { maxLength: 12 }), (pairs) => {
        const lease = parseLease(pairs.map(([name, value]) => `${name}=${value}`).join('\n'));
        if (lease === undefined) return;
        for (const { args } of planNetwork('eth0', lease)) for (const arg of args) assert.match(arg, /^[\w./]+$/);
      }),
      { seed, numRuns: 2000 },
    );
  });
});

describe('the network plan', () => {
  it('sets routes on the link before those behind a gateway', () => {
    const lease = {
      address: '10.0.0.5',
      prefixLength: 32,
      mtu: 1400,
      nameServers: ['1.1.1.1'],
      domain: 'lab',
      routes: [{ destination: '0.0.0.0/0', gateway: '10.0.0.1' }, { destination: '10.0.0.1/32' }],
    };
    assert.deepEqual(
      planNetwork('eth0', lease).map((call) => call.args.join(' ')),
      [
        'link set dev eth0 mtu 1400',
        'address replace 10.0.0.5/32 dev eth0',
        'route replace 10.0.0.1/32 dev eth0',
        'route replace 0.0.0.0/0 via 10.0.0.1 dev eth0 onlink',
      ],
    );
    assert.equal(resolverFile(lease), 'search lab\nnameserver 1.1.1.1\n');
  });
});
