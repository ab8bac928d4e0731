import type { DeviceState, DeviceUpdate } from '@bloomery/wire';

/** Which implementation of WireGuard drives a device. */
export type WireguardBackend = 'kernel' | 'userspace';

/** Which backend is wanted; `auto`: the kernel's, else wireguard-go. */
export type WireguardMode = 'auto' | 'kernel' | 'userspace' | 'off';

/**
 * One WireGuard device of this network namespace. Disposing it removes the interface.
 * Calls are bounded and throw BLM_LINK_DEVICE_FAILED.
 */
export interface WireguardDevice extends AsyncDisposable {
  readonly interfaceName: string;
  readonly backend: WireguardBackend;
  /** Apply changes in one request, in order. Repeating the same request changes nothing. */
  update(update: DeviceUpdate): Promise<void>;
  /** Ask the device; not for every event: with many peers it is slow. */
  state(): Promise<DeviceState>;
  /** Resolves with the reason when the device went away on its own. */
  readonly lost: Promise<string>;
}
