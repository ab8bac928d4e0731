/**
 * Runs in the network guest (packages/lab/src/network-guest): what the kernel of a test machine may lack. One line of JSON for
 * each case. `ip` and `wg` are the oracle of what the kernel has, udevadm that of names.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  applyConfig,
  configOf,
  type Daemon,
  eventually,
  type IpLink,
  ip,
  links,
  program,
  report,
  startDaemon,
  talosctl,
} from './guest.ts';

const CARDS = ['52:54:00:00:00:01', '52:54:00:00:00:02', '52:54:00:00:00:03', '52:54:00:00:00:04'] as const;

/** Skips what a kernel lacks; this one lacks nothing. */
const KERNEL_TEST = '/bundle/link-kinds.netns.test.mjs';

const before = await links();
const namesOfUdev = await udevNames([...before.keys()].filter((name) => name.startsWith('eth')));
let daemon: Daemon | undefined;

await report(
  'the kernel layer makes and changes bonds, VLANs, dummies, VRFs and WireGuard as ip and wg say',
  async () => {
    const said = await program('/bin/node', '--disable-warning=ExperimentalWarning', KERNEL_TEST);
    assert.match(said, /pass [1-9]/);
    assert.match(said, /skipped 0/, said);
  },
);

await report(
  'interfaces get the names that systemd-udevd gives, and keep the others as alternative names',
  async () => {
    daemon = await startDaemon(configOf(''), ['--manage-all', '--host-files', 'off']);
    await eventually(async () => {
      const now = await links();
      for (const [mac, names] of namesOfUdev) {
        const link = [...now.values()].find((candidate) => candidate.address === mac);
        assert.equal(link?.ifname, names[0], `the link with ${mac}`);
        for (const other of names.slice(1)) assert.ok(link?.altnames?.includes(other), `${link?.ifname} has ${other}`);
      }
    });
  },
);

await report('talosctl shows the links with driver and bus path', async () => {
  const table = await talosctl('get', 'links');
  assert.match(table, /LinkStatus +ens5 /);
  assert.match(table, /LinkStatus +ens7 /);
  const yaml = await talosctl('get', 'links', 'ens7', '-o', 'yaml');
  assert.match(yaml, /driver: e1000\n/);
  assert.match(yaml, /busPath: "0000:00:07\.0"\n/);
  assert.match(yaml, /pciID: 8086:100E\n/i);
});

await report('a bond of two cards that selectors name, and a VLAN on it', async () => {
  await applyConfig(
    configOf(`
- interface: bond0
  mtu: 1400
  addresses: [10.9.0.1/24]
  bond:
    mode: active-backup
    miimon: 100
    deviceSelectors:
      - permanentAddr: '${CARDS[1]}'
      - permanentAddr: '${CARDS[2]}'
  vlans:
    - vlanId: 42
      addresses: [10.9.42.1/24]
`),
  );
  await eventually(async () => {
    const now = await links();
    assert.deepEqual(pick(now.get('bond0'), ['mode', 'miimon']), { mode: 'active-backup', miimon: 100 });
    assert.equal(now.get('bond0')?.mtu, 1400);
    for (const mac of [CARDS[1], CARDS[2]]) {
      const slave = [...now.values()].find((link) => permanent(link) === mac);
      assert.equal(slave?.master, 'bond0', `${mac} is in the bond`);
    }
    const vlan = now.get('bond0.42');
    assert.equal(vlan?.link, 'bond0');
    assert.deepEqual(pick(vlan, ['protocol', 'id']), { protocol: '802.1Q', id: 42 });
    assert.match(await ip('-br', 'address', 'show', 'dev', 'bond0.42'), /10\.9\.42\.1\/24/);
  });
});

await report('a bond is told which of its members it prefers while it runs', async () => {
  const bondBefore = (await links()).get('bond0')?.ifindex;
  const cardOf = (now: Awaited<ReturnType<typeof links>>): string =>
    [...now.values()].find((link) => permanent(link) === CARDS[2])?.ifname ?? '';
  await applyConfig(
    configOf(`
- interface: bond0
  addresses: [10.9.0.1/24]
  bond:
    mode: active-backup
    miimon: 100
    primary: ${cardOf(await links())}
    deviceSelectors:
      - permanentAddr: '${CARDS[1]}'
      - permanentAddr: '${CARDS[2]}'
`),
  );
  await eventually(async () => {
    const now = await links();
    assert.deepEqual(pick(now.get('bond0'), ['primary']), { primary: cardOf(now) });
    assert.equal(now.get('bond0')?.ifindex, bondBefore, 'it is the same bond');
  });
});

await report('a bond changes its options without losing its address', async () => {
  await applyConfig(
    configOf(`
- interface: bond0
  addresses: [10.9.0.1/24]
  bond:
    mode: balance-xor
    xmitHashPolicy: layer3+4
    miimon: 50
    deviceSelectors:
      - permanentAddr: '${CARDS[1]}'
      - permanentAddr: '${CARDS[2]}'
`),
  );
  await eventually(async () => {
    const now = await links();
    const want = { mode: 'balance-xor', miimon: 50, xmit_hash_policy: 'layer3+4' };
    assert.deepEqual(pick(now.get('bond0'), Object.keys(want)), want);
    const slaves = [...now.values()].filter((link) => link.master === 'bond0');
    assert.equal(slaves.length, 2, 'both cards are in the bond again');
    assert.equal(now.has('bond0.42'), false, 'the VLAN went with its configuration');
    assert.match(await ip('-br', 'address', 'show', 'dev', 'bond0'), /10\.9\.0\.1\/24/);
  });
});

await report('the documents for VLAN, dummy, VRF, bridge and veth make what they say', async () => {
  const document = (kind: string, name: string, body: string): string =>
    `apiVersion: v1alpha1\nkind: ${kind}\nname: ${name}\n${body}`;
  await applyConfig(
    configOf('', [
      document('DummyLinkConfig', 'dummy7', 'hardwareAddr: 02:00:00:00:00:77\naddresses:\n  - address: 10.7.0.1/24'),
      document('VLANConfig', 'outer', 'vlanID: 100\nvlanMode: 802.1ad\nparent: ens5\nup: true'),
      document('VRFConfig', 'blue', 'table: 123\nlinks: [dummy7]\nup: true'),
      document('BridgeConfig', 'br7', 'links: [ens7]\nstp:\n  enabled: true\nvlan:\n  filtering: true\nup: true'),
      document('VethConfig', 'va', 'up: true\npeer:\n  name: vb\n  up: true'),
    ]),
  );
  await eventually(async () => {
    const now = await links();
    assert.equal(now.get('dummy7')?.linkinfo?.info_kind, 'dummy');
    assert.equal(now.get('dummy7')?.address, '02:00:00:00:00:77');
    assert.equal(now.get('dummy7')?.master, 'blue');
    assert.deepEqual(pick(now.get('outer'), ['protocol', 'id']), { protocol: '802.1ad', id: 100 });
    assert.deepEqual(pick(now.get('blue'), ['table']), { table: 123 });
    assert.deepEqual(pick(now.get('br7'), ['stp_state', 'vlan_filtering']), { stp_state: 1, vlan_filtering: 1 });
    assert.equal(now.get('ens7')?.master, 'br7');
    assert.equal(now.get('va')?.linkinfo?.info_kind, 'veth');
    assert.ok(now.has('vb'));
    assert.equal(now.has('bond0'), false, 'the bond went with its configuration');
  });
});

await report('WireGuard of the kernel: keys, peers and traffic', async () => {
  const [ours, theirs] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const publicOf = async (key: string): Promise<string> =>
    (await program('/bin/sh', '-c', `echo '${key}' | wg pubkey`)).trim();
  await program(
    '/bin/sh',
    '-c',
    `set -e; /bin/ip netns add far; /bin/ip link add near0 type veth peer name far0 netns far
     /bin/ip addr add 192.168.77.1/24 dev near0; /bin/ip link set near0 up
     /bin/ip -n far addr add 192.168.77.2/24 dev far0; /bin/ip -n far link set far0 up
     /bin/ip -n far link add wgfar type wireguard; echo '${theirs}' > /run/far.key
     /bin/ip netns exec far wg set wgfar private-key /run/far.key listen-port 51820 peer ${await publicOf(ours)} allowed-ips 10.1.0.1/32
     /bin/ip -n far addr add 10.1.0.2/24 dev wgfar; /bin/ip -n far link set wgfar up`,
  );
  await applyConfig(
    configOf(`
- interface: wg0
  addresses: [10.1.0.1/24]
  wireguard:
    privateKey: ${ours}
    listenPort: 51111
    peers:
      - publicKey: ${await publicOf(theirs)}
        endpoint: 192.168.77.2:51820
        persistentKeepaliveInterval: 5s
        allowedIPs: [10.1.0.2/32]
`),
  );
  await eventually(async () => {
    assert.equal((await links()).get('wg0')?.linkinfo?.info_kind, 'wireguard');
    await program('/bin/busybox', 'ping', '-c', '1', '-W', '2', '10.1.0.2');
  });
  const yaml = await talosctl('get', 'links', 'wg0', '-o', 'yaml');
  assert.ok(yaml.includes(await publicOf(ours)), 'the public key is shown');
  assert.ok(!yaml.includes(ours), 'the private key is not');
});

await report('an operation that the kernel refuses is said with its errno, and the others go on', async () => {
  await applyConfig(
    configOf(`
- interface: ens7
  mtu: 9999999
- interface: ens5
  mtu: 1450
`),
  );
  await eventually(async () => {
    assert.equal((await links()).get('ens5')?.mtu, 1450);
    assert.match(await talosctl('get', 'linkspecs', 'ens7', '-o', 'yaml'), /ens7.*(EINVAL|ERANGE|Invalid|range)/is);
  });
});

await report('everything is as it was after SIGTERM', async () => {
  assert.equal(await daemon?.stop(), 0);
  await program('/bin/sh', '-c', '/bin/ip link del near0; /bin/ip netns del far');
  const now = await links();
  assert.deepEqual([...now.keys()].sort(), [...before.keys()].sort());
  for (const [name, was] of before) {
    const { mtu, master, address } = now.get(name) ?? {};
    assert.deepEqual({ mtu, master, address }, { mtu: was.mtu, master: was.master, address: was.address }, name);
  }
});

function pick(link: IpLink | undefined, keys: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(keys.map((key) => [key, link?.linkinfo?.info_data?.[key]]));
}

function permanent(link: IpLink): string | undefined {
  return 'permaddr' in link ? String(link.permaddr) : link.address;
}

/** By MAC address: the name by the policy, then all that udevadm gives. */
async function udevNames(interfaces: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const name of interfaces) {
    const text = await program('/bin/udevadm', 'test-builtin', 'net_id', `/sys/class/net/${name}`);
    const given = ['ONBOARD', 'SLOT', 'PATH', 'MAC'].flatMap((policy) => {
      const value = new RegExp(`^ID_NET_NAME_${policy}=(.*)$`, 'm').exec(text)?.[1];
      return value === undefined ? [] : [value];
    });
    found.set(readFileSync(`/sys/class/net/${name}/address`, 'utf8').trim(), given);
  }
  return found;
}
