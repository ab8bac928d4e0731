import { BloomeryError, type Clock, errorText, type Logger } from '@bloomery/ports';
import { startKernelDevice } from './kernel-device.ts';
import { lostWhenSilent } from './lost-when-silent.ts';
import { withLargeReceiveBuffer } from './receive-buffer.ts';
import { startUserspaceDevice } from './userspace-device.ts';
import type { WireguardDevice, WireguardMode } from './wireguard-device.ts';

/** What a device is started with. */
export interface WireguardOptions {
  readonly mode: Exclude<WireguardMode, 'off'>;
  /** Wanted interface name; `name1`, `name2`, … when it is taken by others. */
  readonly name: string;
  /** base64 */
  readonly privateKey: string;
  /** UDP; 0 picks a free one. */
  readonly listenPort: number;
  /**
   * Called when the device has its key but not yet its port, to give it its peers. wireguard-go without a port binds a
   * random one at once; nobody knows that one.
   */
  readonly beforeListening?: (device: WireguardDevice) => Promise<void>;
}

/** What starting a device needs. */
export interface WireguardDeps {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A device with its key set, listening, without address and peers of ours yet. */
export interface StartedWireguard {
  readonly device: WireguardDevice;
  /** The UDP port that is really bound. */
  readonly listenPort: number;
}

/**
 * Start a WireGuard device: the kernel's where there is one, else wireguard-go.
 *
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED when none of the allowed backends works; nothing is left behind.
 */
export async function startWireguard(options: WireguardOptions, deps: WireguardDeps): Promise<StartedWireguard> {
  const device = lostWhenSilent(await makeDevice(options, deps));
  try {
    await device.update({ privateKey: options.privateKey });
    await options.beforeListening?.(device);
    const { listenPort } = options;
    const bound = (await device.state()).listenPort;
    // Setting the port that it has would close and open the socket of a device that is at work.
    const isBound = bound === listenPort || (listenPort === 0 && bound !== 0);
    if (!isBound) await bindPort(device, listenPort, deps.log);
    return { device, listenPort: isBound ? bound : (await device.state()).listenPort };
  } catch (error) {
    await device[Symbol.asyncDispose]();
    throw error;
  }
}

async function bindPort(device: WireguardDevice, listenPort: number, log: Logger): Promise<void> {
  const bind = (): Promise<void> => device.update({ listenPort });
  try {
    await (device.backend === 'kernel' ? bind() : withLargeReceiveBuffer(bind, log));
  } catch (cause) {
    const message = `listening on UDP port ${listenPort}: ${errorText(cause)}`;
    throw new BloomeryError('BLM_LINK_DEVICE_FAILED', message, { cause });
  }
}

async function makeDevice({ mode, name, privateKey }: WireguardOptions, deps: WireguardDeps): Promise<WireguardDevice> {
  if (mode === 'userspace') return startUserspaceDevice(name, deps);
  try {
    return await startKernelDevice(name, privateKey);
  } catch (error) {
    if (mode === 'kernel') throw error;
    deps.log.debug('link.no_kernel_wireguard', { error: errorText(error) });
    return startUserspaceDevice(name, deps).catch((cause: unknown) => {
      const message = `${errorText(cause)}; and the kernel: ${errorText(error)}`;
      throw new BloomeryError('BLM_LINK_DEVICE_FAILED', message, { cause });
    });
  }
}
