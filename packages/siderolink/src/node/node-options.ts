import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { WireguardMode } from '../device/wireguard-device.ts';
import type { KernelLogSource } from '../kernel-log/kernel-log-source.ts';

/** What a machine says of itself when it joins, and to whom. A change discards everything that was provisioned before. */
export interface LinkInputs {
  /** Text of `siderolink.api` or of a SideroLinkConfig's `apiUrl`; the document wins where there are both. */
  readonly api: string;
  /** SMBIOS UUID. */
  readonly uuid: string;
  /** Of the SideroLinkConfig document; one that the machine remembers wins. */
  readonly uniqueToken?: string;
  /** Such as `v1.13.0`. */
  readonly talosVersion: string;
}

/** Where a machine sends what it has to say. */
export interface LinkSinkChoice {
  /** `tcp://[address]:port` or `udp://…`, at most 16; without any the kernel log is not read. */
  readonly kernelLogDestinations?: readonly string[];
  /** `[address]:port` on the link; without it events are only kept. */
  readonly eventSink?: string;
}

/** How a machine's end of the link is run. */
export interface SiderolinkNodeOptions extends LinkSinkChoice {
  /** Absent: not configured yet; nothing is joined until `update` brings them. */
  readonly inputs?: LinkInputs;
  readonly mode: Exclude<WireguardMode, 'off'>;
  /** Folder for wireguard-go, where the kernel has no WireGuard. */
  readonly stateDir: string;
}

/** Where the machine's unique token is remembered. */
export interface UniqueTokenStore {
  /** undefined: there is none yet. */
  load(): Promise<string | undefined>;
  /** Durable when it resolves; the token is used only after that. */
  save(token: string): Promise<void>;
}

/** What a machine's end of the link needs from outside. */
export interface SiderolinkNodeDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Variables with the names of proxies (HTTPS_PROXY, NO_PROXY, …), read again at every connect. Absent: no proxies. */
  readonly environment?: () => Readonly<Record<string, string | undefined>>;
  /** PEM of further authorities for the API and for proxies that are reached by TLS. */
  readonly authorities?: () => string | undefined;
  /** Absent: the token of the configuration is sent as it is, and none is made. */
  readonly uniqueToken?: UniqueTokenStore;
  /** /dev/kmsg unless given. */
  readonly kernelLog?: KernelLogSource;
}

/** How the machine's end of the link stands. */
export interface SiderolinkNodeStatus {
  /** The server answered WireGuard in the last 275 s. */
  readonly connected: boolean;
  /** Host of the API without port; empty when not configured. */
  readonly host: string;
  /** Interface name; empty while there is none. */
  readonly linkName: string;
  readonly grpcTunnel: boolean;
  /** CIDR of the machine's own address. */
  readonly nodeAddress?: string;
  /** Without prefix length. */
  readonly serverAddress?: string;
  /** WireGuard endpoint in use; absent in the tunnel. */
  readonly endpoint?: string;
  /** Milliseconds since the epoch. */
  readonly lastHandshakeMs?: number;
  /** Why it does not stand, with what happens next; absent once it does. */
  readonly lastError?: string;
}

/** Events to the plane: in order, one at a time, each until it is acknowledged. */
export interface EventSender {
  /** Queue an event and return its id. Of more than 1,000 kept ones the oldest goes, unsent or not. */
  send<D extends DescMessage>(schema: D, payload: MessageInitShape<D>): string;
  /** True when everything was acknowledged within this time. */
  drained(timeoutMs: number): Promise<boolean>;
  /** Events that are not acknowledged yet. */
  readonly backlog: number;
}

/**
 * A machine's end of the link, which joins and stays joined. Disposing it sends what is left of log and events (bounded),
 * then removes the interface.
 */
export interface SiderolinkNode extends AsyncDisposable {
  status(): SiderolinkNodeStatus;
  /** Calls back at each change of the status, also every 30 s when only the last handshake moved; returns the end of it. */
  onChanged(listener: (status: SiderolinkNodeStatus) => void): () => void;
  /** New inputs: equal ones change nothing; undefined leaves the link. */
  update(inputs: LinkInputs | undefined): void;
  /**
   * Where kernel log and events go from now on: equal ones change nothing. Events that are kept go to the new sink.
   *
   * @throws BloomeryError BLM_LINK_CONFIG_INVALID for a kernel log destination that is none; the old ones stay.
   */
  direct(sinks: LinkSinkChoice): void;
  /** The virtual address of this machine in the tunnel, while there is one. It is a secret between machine and server. */
  virtualAddress(): string | undefined;
  readonly events: EventSender;
}

/** startSiderolinkNode: returns at once; joining goes on behind it and never gives up. */
export type StartSiderolinkNode = (options: SiderolinkNodeOptions, deps: SiderolinkNodeDeps) => SiderolinkNode;
