import type { BoundAddress } from '@bloomery/ports';
import type { WireguardBackend } from '@bloomery/siderolink';

/** A device that is up. */
export interface UpStatus {
  readonly interfaceName: string;
  readonly backend: WireguardBackend;
  /** Bound UDP port. */
  readonly listenPort: number;
  readonly eventSink: BoundAddress;
  /** Why machines are not kept from each other and from the host's other services; absent: they are. */
  readonly notIsolated?: string;
}

/** Whether machines can link, and if not, why. */
export type LinkStatus =
  | ({ readonly state: 'up' } & UpStatus)
  | { readonly state: 'down'; readonly reason: string }
  | { readonly state: 'off' };
