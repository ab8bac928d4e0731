import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import {
  blockUdp,
  createRackNetwork,
  inNamespace,
  isRackRunning,
  rackNetwork,
  removeRackNetwork,
} from './rack-network.ts';

const WIREGUARD_PORT = 51_821;

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  return spawnSync('nft', ['--version']).status !== 0 && 'needs nft';
}

describe('the network of a rack', { skip: whyNot(), timeout: 60_000 }, () => {
  const network = rackNetwork(`t${process.pid % 100_000}`, 60);
  before(() => createRackNetwork(network, []));
  after(() => removeRackNetwork(network));

  /** Sends from the site's machine to both ports of the plane; returns what comes there until the last port's datagram. */
  const arrive = async (): Promise<string[]> => {
    const script = `
      const got = [];
      for (const port of [${WIREGUARD_PORT}, 5000]) {
        const socket = require('dgram').createSocket('udp4');
        socket.on('message', () => { got.push(port); if (port === 5000) { console.log(got.join()); process.exit(); } });
        socket.bind(port, '${network.planeAddress}', () => port === 5000 && console.log('ready'));
      }`;
    const [program, ...args] = inNamespace(network.namespace, [process.execPath, '-e', script]);
    const plane = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(plane.stdout, 'data');
    const answer = once(plane.stdout, 'data');
    const send = `
      const socket = require('dgram').createSocket('udp4');
      const to = (port, then) => socket.send('x', port, '${network.planeAddress}', then);
      to(${WIREGUARD_PORT}, () => to(5000, () => process.exit()));`;
    const [sender, ...words] = inNamespace(network.dhcpNamespace, [process.execPath, '-e', send]);
    execFileSync(sender, words);
    return String((await answer)[0])
      .trim()
      .split(',');
  };

  it('carries datagrams until a port is blocked for a machine', async () => {
    assert.deepEqual(await arrive(), [String(WIREGUARD_PORT), '5000']);
    const [program, ...args] = inNamespace(network.dhcpNamespace, ['cat', '/sys/class/net/eth0/address']);
    const mac = execFileSync(program, args, { encoding: 'utf8' }).trim();
    await blockUdp(network, mac, WIREGUARD_PORT);
    assert.deepEqual(await arrive(), ['5000']);
  });

  it('is in use as long as something runs in it', async () => {
    assert.equal(await isRackRunning(network), false);
    const [program, ...args] = inNamespace(network.namespace, ['sleep', '60']);
    const child = spawn(program, args, { stdio: 'ignore' });
    await once(child, 'spawn');
    while (!(await isRackRunning(network))) assert.equal(child.exitCode, null);
    child.kill();
    await once(child, 'exit');
    assert.equal(await isRackRunning(network), false);
  });
});
