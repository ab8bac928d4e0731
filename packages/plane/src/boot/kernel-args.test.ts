import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { agentKernelArgs, environmentKernelArgs, mergeArgsByKey } from './kernel-args.ts';
import { patchLoader } from './loaders.ts';
import { createNeighbours, parseArpTable } from './neighbours.ts';

describe('kernel arguments', () => {
  const endpoint = { host: '10.0.0.1', port: 8081 };
  it('given by the operator replace all defaults of their key', () => {
    assert.deepEqual(mergeArgsByKey(['a=1', 'b', 'a=2', 'c=3'], ['a=4', 'd', 'a=5']), ['a=4', 'a=5', 'b', 'c=3', 'd']);
  });
  it('of the agent end with what is ours', () => {
    assert.deepEqual(agentKernelArgs({ endpoint, mac: 'm', token: 't', extra: ['x'] }).slice(-4), [
      'sidero.mac=m',
      'sidero.endpoint=10.0.0.1:8081',
      'sidero.token=t',
      'x',
    ]);
  });
  it('of an Environment are completed only where it says nothing itself', () => {
    const args = environmentKernelArgs(['siderolink.api=x', 'talos.configure=1'], {
      endpoint: { host: 'fd00::1', port: 1 },
      linkAddress: undefined,
      uuid: '',
      token: 'T',
    });
    assert.deepEqual(args, [
      'siderolink.api=x',
      'talos.configure=1',
      'talos.config=http://[fd00::1]:1/configdata?t=T&uuid=',
    ]);
  });
});

describe('kernel arguments of the link', () => {
  const cases: [name: string, linkApi: Parameters<typeof environmentKernelArgs>[1]['linkApi'], want: string][] = [
    ['are as Sidero writes them', undefined, 'siderolink.api=10.0.0.1:8081'],
    ['name TLS', { tls: true, tunnel: false }, 'siderolink.api=https://10.0.0.1:8081'],
    [
      'carry a token',
      { tls: false, tunnel: false, joinToken: 'a b' },
      'siderolink.api=grpc://10.0.0.1:8081?jointoken=a%20b',
    ],
    ['name the tunnel', { tls: false, tunnel: true }, 'siderolink.api=grpc://10.0.0.1:8081?grpc_tunnel=true'],
  ];
  for (const [name, linkApi, want] of cases) {
    it(name, () => {
      const endpoint = { host: '10.0.0.1', port: 8081 };
      const given = linkApi === undefined ? {} : { linkApi };
      const args = environmentKernelArgs([], { endpoint, linkAddress: undefined, uuid: '', ...given });
      assert.equal(args[1], want);
    });
  }
});

describe('kernel arguments of machines whose UUID names no Server', () => {
  it('carry the name of the Server instead', () => {
    const args = environmentKernelArgs([], {
      endpoint: { host: '10.0.0.1', port: 8081 },
      linkAddress: undefined,
      uuid: 'derived',
    });
    assert.equal(args[0], 'talos.config=http://10.0.0.1:8081/configdata?uuid=derived');
  });
});

describe('loaders with a placeholder', () => {
  const loader = (inside: string): Uint8Array => Buffer.from(`MZ${inside}tail`);
  it('get the script in place of it, of the same length', () => {
    const before = loader(`# *PLACEHOLDER START*${'.'.repeat(30)}# *PLACEHOLDER END*`);
    const after = patchLoader(before, '#!ipxe\nexit\n');
    assert.equal(after?.byteLength, before.byteLength);
    assert.match(Buffer.from(after ?? []).toString(), /^MZ#!ipxe\nexit\n\n+tail$/);
  });
  it('are left alone when it is missing or too short', () => {
    assert.equal(patchLoader(loader('nothing'), 'x'), undefined);
    assert.equal(patchLoader(loader('# *PLACEHOLDER START*# *PLACEHOLDER END*'), 'x'.repeat(100)), undefined);
    assert.equal(patchLoader(loader('# *PLACEHOLDER START*'), 'x'), undefined);
  });
});

describe('the neighbour table', () => {
  it('is believed before what a machine with another hardware address said', async () => {
    const clock = createFakeClock();
    const mac = '52:54:00:aa:00:01';
    let table = `head\n10.0.0.5 0x1 0x2 ${mac} * br0\n`;
    const neighbours = createNeighbours(clock, () => table);
    neighbours.learn('10.0.0.5', { mac, server: 's' });
    assert.deepEqual(neighbours.whoIs('10.0.0.5'), { mac, server: 's' });
    table = table.replace('aa', 'bb');
    await clock.advance(1_000);
    assert.deepEqual(neighbours.whoIs('10.0.0.5'), { mac: '52:54:00:bb:00:01' });
    assert.deepEqual(neighbours.whoIs('10.0.0.6'), {});
  });
  it('names hardware addresses of complete entries', () => {
    const table = [
      'IP address       HW type     Flags       HW address            Mask     Device',
      '10.0.0.5         0x1         0x2         52:54:00:AA:00:01     *        br0',
      '10.0.0.6         0x1         0x0         00:00:00:00:00:00     *        br0',
      'garbage',
    ].join('\n');
    assert.deepEqual([...parseArpTable(table)], [['10.0.0.5', '52:54:00:aa:00:01']]);
  });
});
