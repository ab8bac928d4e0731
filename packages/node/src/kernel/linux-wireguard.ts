import { readdir } from 'node:fs/promises';
import type { Clock, Logger } from '@bloomery/ports';
import {
  adoptUserspaceDevice,
  startNamedUserspaceDevice,
  type UserspaceDevice,
  wireguardPublicKey,
} from '@bloomery/siderolink';
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
  /** Take over those that an earlier run left behind when it crashed, and have worked on. Nothing is started or ended. */
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
  return new Wireguard(deps);
}

class Wireguard implements LinuxWireguard {
  readonly #deps: LinuxWireguardDeps;
  /** Of wireguard-go, by the names of their links; undefined: it is being started. */
  readonly #devices = new Map<string, UserspaceDevice | undefined>();
  #family: Promise<GenlFamily> | undefined;

  constructor(deps: LinuxWireguardDeps) {
    this.#deps = deps;
  }

  isUserspace(name: string): boolean {
    return this.#devices.has(name);
  }

  async end(name: string): Promise<boolean> {
    const device = this.#devices.get(name);
    if (device === undefined) return false;
    this.#devices.delete(name);
    await device[Symbol.asyncDispose]();
    await this.#deps.settled();
    return true;
  }

  async adopt(): Promise<void> {
    const { stateDir, view, show } = this.#deps;
    const files = await readdir(stateDir).catch(() => []);
    for (const name of files.flatMap((file) => (file.endsWith(PID_FILE) ? [file.slice(0, -PID_FILE.length)] : []))) {
      const link = view.linkByName(name);
      if (link === undefined) continue;
      this.#devices.set(name, undefined);
      const device = await adoptUserspaceDevice(name, this.#deps).catch(() => undefined);
      if (device === undefined) this.#devices.delete(name);
      else {
        this.#keep(name, device);
        show(link);
      }
    }
  }

  async create(name: string): Promise<void> {
    const { view, links } = this.#deps;
    if (view.linkByName(name) !== undefined)
      throw kernelRefused(`creating ${name} (wireguard)`, { errno: errnoNumber('EEXIST') });
    try {
      await links.create({ name, kind: 'wireguard' });
    } catch (error) {
      if (refusalErrno(error) !== 'EOPNOTSUPP') throw error;
      await this.#startUserspace(name, error);
    }
  }

  async read(name: string): Promise<WireguardState | undefined> {
    const device = this.#devices.get(name);
    if (device !== undefined) return readUserspace(device);
    const { view, requests } = this.#deps;
    if (view.linkByName(name)?.kind !== 'wireguard') return undefined;
    return readKernel(requests, (await this.#findFamily()).id, name);
  }

  async configure(name: string, given: WireguardPatch): Promise<void> {
    const patch = { ...given, peers: given.peers.map(withSharedKey) };
    const device = this.#devices.get(name);
    if (device !== undefined) return configureUserspace(device, patch);
    const { id } = await this.#findFamily();
    for (const request of encodeWireguardSet(id, name, patch))
      await this.#deps.requests.request(`setting up WireGuard of ${name}`, request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#deps.leave) await Promise.all([...this.#devices.keys()].map((name) => this.end(name)));
  }

  #findFamily(): Promise<GenlFamily> {
    // Asked anew after a failure: the module may be loaded meanwhile.
    this.#family ??= findFamily(this.#deps.requests, 'wireguard').catch((error: unknown) => {
      this.#family = undefined;
      throw error;
    });
    return this.#family;
  }

  #keep(name: string, device: UserspaceDevice): void {
    this.#devices.set(name, device);
    void device.lost.then((reason) => {
      if (this.#devices.get(name) !== device) return;
      this.#devices.delete(name);
      this.#deps.log.warn('kernel.wireguard_lost', { link: name, reason });
    });
  }

  async #startUserspace(name: string, cause: unknown): Promise<void> {
    this.#deps.log.info('kernel.wireguard_userspace', { link: name, kernel: refusalErrno(cause) });
    // Before the link comes into the view.
    this.#devices.set(name, undefined);
    try {
      const device = await startNamedUserspaceDevice(name, this.#deps);
      if (device === undefined) throw kernelRefused(`creating ${name} (wireguard)`, { errno: errnoNumber('EEXIST') });
      this.#keep(name, device);
      await this.#deps.settled();
    } catch (error) {
      this.#devices.delete(name);
      throw error;
    }
  }
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
