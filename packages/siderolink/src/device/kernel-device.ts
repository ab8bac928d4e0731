import { access } from 'node:fs/promises';
import { BloomeryError, isBloomeryError } from '@bloomery/ports';
import type { DeviceState, DeviceUpdate, PeerState, PeerUpdate } from '@bloomery/wire';
import { wireguardPublicKey } from '../wireguard-keys.ts';
import { candidateNames, listLinkNames } from './link-names.ts';
import { runCommand } from './run-command.ts';
import type { WireguardDevice } from './wireguard-device.ts';

/** Peers per call of `wg set`, so that the arguments stay below the system's limit. */
const PEERS_PER_CALL = 200;

/**
 * Make (or take over, when it has our key) a WireGuard device of the kernel.
 *
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED when the kernel has no WireGuard or we may not.
 */
export async function startKernelDevice(baseName: string, privateKey: string): Promise<WireguardDevice> {
  const name = await makeLink(baseName, wireguardPublicKey(privateKey));
  const lost = Promise.withResolvers<string>();
  const unlessLost = async <R>(work: Promise<R>): Promise<R> => {
    try {
      return await work;
    } catch (error) {
      await access(`/sys/class/net/${name}`).catch(() => lost.resolve(`the interface ${name} was removed`));
      throw error;
    }
  };
  return {
    interfaceName: name,
    backend: 'kernel',
    // Found out by whoever asks next, which is the periodic look.
    lost: lost.promise,
    update: (update) => unlessLost(applyUpdate(name, update)),
    state: async () => parseDump(await unlessLost(runCommand('reading the device', ['wg', 'show', name, 'dump']))),
    [Symbol.asyncDispose]: () => removeLink(name),
  };
}

async function makeLink(baseName: string, publicKey: string): Promise<string> {
  const taken = await listLinkNames();
  for (const name of candidateNames(baseName)) {
    if (!taken.has(name)) {
      await addLink(name);
      return name;
    }
    if ((await publicKeyOf(name)) === publicKey) return name;
  }
  throw new BloomeryError(
    'BLM_LINK_DEVICE_FAILED',
    `adding the WireGuard link: all names from ${baseName} on are taken`,
  );
}

async function addLink(name: string): Promise<void> {
  await runCommand('adding the WireGuard link', ['ip', 'link', 'add', 'dev', name, 'type', 'wireguard']);
  try {
    // Without `wg` the link is of no use: another backend may be.
    await runCommand('reading the device', ['wg', 'show', name, 'public-key']);
  } catch (error) {
    await removeLink(name);
    throw error;
  }
}

async function removeLink(name: string): Promise<void> {
  await runCommand('removing the link', ['ip', 'link', 'del', 'dev', name]).catch(() => '');
}

async function publicKeyOf(name: string): Promise<string | undefined> {
  try {
    return (await runCommand('reading the device', ['wg', 'show', name, 'public-key'])).trim();
  } catch (error) {
    if (isBloomeryError(error, 'BLM_LINK_DEVICE_FAILED')) return undefined;
    throw error;
  }
}

async function applyUpdate(name: string, update: DeviceUpdate): Promise<void> {
  const { privateKey, listenPort, peers = [] } = update;
  const device = [
    ...(listenPort === undefined ? [] : ['listen-port', String(listenPort)]),
    ...(privateKey === undefined ? [] : ['private-key', '/dev/stdin']),
  ];
  if (device.length > 0) {
    await runCommand(
      'setting up the device',
      wgWithInput(['set', name, ...device]),
      privateKey === undefined ? '' : `${privateKey}\n`,
    );
  }
  const old = update.replacePeers === true ? await peerKeys(name) : [];
  const kept = new Set(peers.map((peer) => peer.publicKey));
  const args = [...old.filter((key) => !kept.has(key)).map((key) => ['peer', key, 'remove']), ...peers.map(peerArgs)];
  for (let i = 0; i < args.length; i += PEERS_PER_CALL) {
    await runCommand('setting peers', ['wg', 'set', name, ...args.slice(i, i + PEERS_PER_CALL).flat()]);
  }
}

/** Node gives its children a socket for standard input, which `wg` cannot open as /dev/stdin: a pipe it can. */
function wgWithInput(args: readonly string[]): readonly [string, ...string[]] {
  return ['sh', '-c', 'cat | wg "$@"', 'wg', ...args];
}

async function peerKeys(name: string): Promise<readonly string[]> {
  const text = await runCommand('reading the peers', ['wg', 'show', name, 'peers']);
  return text.split('\n').filter((line) => line !== '');
}

function peerArgs(peer: PeerUpdate): readonly string[] {
  if (peer.remove) return ['peer', peer.publicKey, 'remove'];
  return [
    'peer',
    peer.publicKey,
    ...(peer.endpoint === undefined ? [] : ['endpoint', peer.endpoint]),
    ...(peer.keepaliveSeconds === undefined ? [] : ['persistent-keepalive', String(peer.keepaliveSeconds)]),
    ...(peer.replaceAllowedIps || peer.allowedIps.length > 0 ? ['allowed-ips', peer.allowedIps.join(',')] : []),
  ];
}

/** Read `wg show IF dump`: one line of the device, then one per peer, separated by tabs. */
export function parseDump(text: string): DeviceState {
  const [device = '', ...lines] = text.split('\n').filter((line) => line !== '');
  return { listenPort: Number(device.split('\t')[2] ?? 0), peers: lines.map(parsePeer) };
}

function parsePeer(line: string): PeerState {
  const [
    publicKey = '',
    ,
    endpoint = '(none)',
    allowed = '(none)',
    handshake = '0',
    rx = '0',
    tx = '0',
    keepalive = 'off',
  ] = line.split('\t');
  return {
    publicKey,
    allowedIps: allowed === '(none)' ? [] : allowed.split(','),
    ...(endpoint === '(none)' ? {} : { endpoint }),
    keepaliveSeconds: keepalive === 'off' ? 0 : Number(keepalive),
    ...(handshake === '0' ? {} : { lastHandshakeMs: Number(handshake) * 1000 }),
    receivedBytes: Number(rx),
    sentBytes: Number(tx),
  };
}
