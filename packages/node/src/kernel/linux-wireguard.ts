import { readdir } from 'node:fs/promises';
import type { Clock, Logger } from '@bloomery/ports';
import { startNamedUserspaceDevice, type UserspaceDevice, wireguardPublicKey } from '@bloomery/siderolink';
import { encodeWireguardGet, encodeWireguardSet, type GenlFamily, WireguardDumpReader } from '@bloomery/wire';
import { findFamily } from './ethtool-client.ts';
import type { KernelLink, KernelLinks, KernelView } from './kernel.ts';
import { errnoNumber, kernelRefused, refusalErrno } from './kernel-error.ts';
import {
  type KernelWireguard,
  NO_PRESHARED_KEY,
  type WireguardPatch,
  type WireguardPeerPatch,
  type WireguardState,
} from './kernel-wireguard.ts';
import type { NetlinkRequests } from './netlink-socket.ts';

/** WireGuard devices: the kernel's where it has them, else wireguard-go's. Disposing it ends those of wireguard-go. */
export interface LinuxWireguard extends KernelWireguard, AsyncDisposable {
  /** Whether the link with this name is one of wireguard-go's: the kernel takes it for a plain tunnel. */
  isUserspace(name: string): boolean;
  /** End one of wireguard-go's. @returns whether there was one */
  end(name: string): Promise<boolean>;
  /** Take over those that an earlier run left behind when it crashed: they have worked on. */
  adopt(): Promise<void>;
}

/** What it needs. */
export interface LinuxWireguardDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly view: KernelView;
  readonly links: KernelLinks;
  /** Of generic netlink. */
  readonly requests: NetlinkRequests;
  /** Folder for control sockets, process ids and logs of wireguard-go; nobody else's. */
  readonly stateDir: string;
  /** Leave the devices of wireguard-go when all ends. */
  readonly leave: boolean;
  readonly settled: () => Promise<void>;
  /** Put a link into the view anew. */
  readonly show: (link: KernelLink) => void;
}

const PID_FILE = '.pid';
const READ_ATTEMPTS = 3;

/** Make it. Nothing is started before a device is asked for. */
export function linuxWireguard(deps: LinuxWireguardDeps): LinuxWireguard {
  const { view, requests, log } = deps;
  const devices = new Map<string, UserspaceDevice | undefined>();
  let family: Promise<GenlFamily> | undefined;
  const findWireguard = (): Promise<GenlFamily> => {
    // Asked anew after a failure: the module may be loaded meanwhile.
    family ??= findFamily(requests, 'wireguard').catch((error: unknown) => {
      family = undefined;
      throw error;
    });
    return family;
  };
  const keep = (name: string, device: UserspaceDevice): void => {
    devices.set(name, device);
    void device.lost.then((reason) => {
      if (devices.get(name) !== device) return;
      devices.delete(name);
      log.warn('kernel.wireguard_lost', { link: name, reason });
    });
  };
  const startUserspace = async (name: string, cause: unknown): Promise<void> => {
    log.info('kernel.wireguard_userspace', { link: name, kernel: refusalErrno(cause) });
    // Before the link comes into the view.
    devices.set(name, undefined);
    try {
      const device = await startNamedUserspaceDevice(name, deps);
      if (device === undefined) throw kernelRefused(`creating ${name} (wireguard)`, { errno: errnoNumber('EEXIST') });
      keep(name, device);
      await deps.settled();
    } catch (error) {
      devices.delete(name);
      throw error;
    }
  };
  const end = async (name: string): Promise<boolean> => {
    const device = devices.get(name);
    if (device === undefined) return false;
    devices.delete(name);
    await device[Symbol.asyncDispose]();
    await deps.settled();
    return true;
  };
  return {
    isUserspace: (name) => devices.has(name),
    end,
    adopt: async () => {
      const files = await readdir(deps.stateDir).catch(() => []);
      for (const name of files.flatMap((file) => (file.endsWith(PID_FILE) ? [file.slice(0, -PID_FILE.length)] : []))) {
        const link = view.linkByName(name);
        if (link === undefined) continue;
        devices.set(name, undefined);
        const device = await startNamedUserspaceDevice(name, deps).catch(() => undefined);
        if (device === undefined) devices.delete(name);
        else {
          keep(name, device);
          deps.show(link);
        }
      }
    },
    create: async (name) => {
      if (view.linkByName(name) !== undefined)
        throw kernelRefused(`creating ${name} (wireguard)`, { errno: errnoNumber('EEXIST') });
      try {
        await deps.links.create({ name, kind: 'wireguard' });
      } catch (error) {
        if (refusalErrno(error) !== 'EOPNOTSUPP') throw error;
        await startUserspace(name, error);
      }
    },
    read: async (name) => {
      const device = devices.get(name);
      if (device !== undefined) return readUserspace(device);
      if (view.linkByName(name)?.kind !== 'wireguard') return undefined;
      return readKernel(requests, (await findWireguard()).id, name);
    },
    configure: async (name, given) => {
      const patch = { ...given, peers: given.peers.map(withSharedKey) };
      const device = devices.get(name);
      if (device !== undefined) return configureUserspace(device, patch);
      const { id } = await findWireguard();
      for (const request of encodeWireguardSet(id, name, patch))
        await requests.request(`setting up WireGuard of ${name}`, request);
    },
    [Symbol.asyncDispose]: async () => {
      if (!deps.leave) await Promise.all([...devices.keys()].map(end));
    },
  };
}

function withSharedKey(peer: WireguardPeerPatch): WireguardPeerPatch {
  const isWhole = peer.replaceAllowedIPs && peer.presharedKey === undefined;
  return isWhole ? { ...peer, presharedKey: NO_PRESHARED_KEY } : peer;
}

/** Again when its peers changed while it was read: some may be missing. */
async function readKernel(requests: NetlinkRequests, family: number, name: string): Promise<WireguardState> {
  for (let attempt = 1; ; attempt++) {
    const reader = new WireguardDumpReader();
    const request = encodeWireguardGet(family, name);
    const isInterrupted = await requests.request(
      `reading WireGuard of ${name}`,
      request,
      (bytes, { type, from, to }) => {
        if (type === family) reader.take(bytes, from, to);
      },
    );
    if (!isInterrupted || attempt === READ_ATTEMPTS) return reader.finish();
  }
}

async function readUserspace(device: UserspaceDevice): Promise<WireguardState> {
  const { listenPort, peers } = await device.state();
  const { privateKey, firewallMark, presharedKeys } = await device.secrets();
  return {
    privateKey,
    publicKey: privateKey === '' ? '' : wireguardPublicKey(privateKey),
    listenPort,
    firewallMark,
    peers: peers.map(({ allowedIps, endpoint = '', lastHandshakeMs = 0, ...peer }) => ({
      ...peer,
      presharedKey: presharedKeys.get(peer.publicKey) ?? '',
      endpoint,
      lastHandshakeMs,
      allowedIPs: allowedIps,
    })),
  };
}

function configureUserspace(device: UserspaceDevice, { peers, ...settings }: WireguardPatch): Promise<void> {
  return device.update({
    ...settings,
    peers: peers.map(({ replaceAllowedIPs, allowedIPs, ...peer }) => ({
      ...peer,
      replaceAllowedIps: replaceAllowedIPs,
      allowedIps: allowedIPs,
    })),
  });
}
