import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SiderolinkDevice, siderolinkDevice, siderolinkPeer } from '@bloomery/model';
import { createFakeSession } from '../testing/fake-session.ts';
import { siderolink } from './siderolink.ts';

const apiVersion = 'insight.bloomery.dev/v1alpha1';
const up: SiderolinkDevice = {
  apiVersion,
  kind: 'SiderolinkDevice',
  metadata: { name: 'siderolink' },
  state: 'up',
  backend: 'userspace',
  interface: 'siderolink',
  port: 51_821,
  isolated: true,
};
const linked = {
  kind: siderolinkPeer,
  object: {
    apiVersion,
    kind: 'SiderolinkPeer',
    metadata: { name: 'm1' },
    hostname: 'pxe-1',
    mode: 'udp',
    state: 'up',
    lastHandshake: '2026-01-01T11:59:00Z',
    endpoint: '10.0.0.2:4242',
    receivedBytes: 1_500,
    sentBytes: 3_000_000,
    address: 'fd00::2',
    publicKey: 'KEY=',
  },
};
const silent = {
  kind: siderolinkPeer,
  object: {
    ...linked.object,
    metadata: { name: 'm2' },
    hostname: undefined,
    mode: 'tunnel',
    state: 'never',
    lastHandshake: undefined,
    endpoint: undefined,
    receivedBytes: 0,
    sentBytes: 0,
    address: 'fd00::3',
  },
};
const sessionWith = (device: SiderolinkDevice, ...peers: (typeof linked | typeof silent)[]) =>
  createFakeSession([{ kind: siderolinkDevice, object: device }, ...peers]);

describe('bloomery siderolink status', () => {
  it('gives a machine with a long name no more room than others', async () => {
    const hostile = { ...linked, object: { ...linked.object, hostname: 'x'.repeat(253) } };
    const session = sessionWith(up, hostile);
    await siderolink(session, [], {});
    assert.match(session.out(), / x{62}… /);
  });

  it('shows the machines of the link, and its own end beside them', async () => {
    const session = sessionWith(up, linked, silent);
    await siderolink(session, [], {});
    assert.equal(session.err(), 'siderolink  up  userspace (wireguard-go)  interface siderolink  udp :51821\n');
    assert.equal(
      session.out(),
      [
        'SERVER   HOSTNAME   MODE     STATE   LAST-HANDSHAKE   ENDPOINT        RX       TX       ADDRESS',
        'm1       pxe-1      udp      up      1m               10.0.0.2:4242   1.5KiB   2.9MiB   fd00::2',
        'm2       -          tunnel   never   -                -               0B       0B       fd00::3',
        '',
      ].join('\n'),
    );
  });

  it('shows keys with -o wide, and names with -o name', async () => {
    const [wide, name] = [sessionWith(up, linked), sessionWith(up, linked)];
    await siderolink(wide, ['status'], { output: 'wide' });
    assert.match(wide.out(), /ADDRESS {3}PUBLIC-KEY\nm1 .* fd00::2 {3}KEY=\n$/);
    await siderolink(name, ['status'], { output: 'name' });
    assert.equal(name.out(), 'siderolinkpeer.insight.bloomery.dev/m1\n');
  });

  it('says why it is down and what to do', async () => {
    const session = sessionWith({
      ...up,
      state: 'down',
      message: 'starting wireguard-go: no /dev/net/tun',
      do: ['run it as root', 'install wireguard-go'],
    });
    await siderolink(session, ['status'], {});
    assert.equal(
      session.err(),
      [
        'siderolink  down',
        '  why   starting wireguard-go: no /dev/net/tun',
        '  do    run it as root',
        '        install wireguard-go',
        'No machine has a link address yet.',
        '',
      ].join('\n'),
    );
    assert.equal(session.out(), '');
  });

  it('is a list with the device beside it as JSON', async () => {
    const session = sessionWith(up, linked);
    await siderolink(session, [], { json: true });
    const { apiVersion: version, kind, device, items } = JSON.parse(session.out());
    assert.deepEqual(
      [version, kind, device.state, items.length],
      ['cli.bloomery.dev/v1', 'SiderolinkPeerList', 'up', 1],
    );
    assert.equal(items[0].endpoint, '10.0.0.2:4242');
  });

  it('knows no other word, and says when the manager knows nothing', async () => {
    await assert.rejects(siderolink(sessionWith(up), ['reset'], {}), { code: 'BLM_CLI_USAGE' });
    await assert.rejects(siderolink(createFakeSession([]), [], {}), { code: 'BLM_CLI_REFUSED' });
  });
});
