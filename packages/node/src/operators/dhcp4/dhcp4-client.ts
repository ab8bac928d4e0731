import { backOffMs, type Clock, errorText, fraction, type Logger, type RandomBytes } from '@bloomery/ports';
import { type DhcpPacket, decodeDhcp } from '@bloomery/wire';
import { HostnameSpec } from '../../resources/index.ts';
import { Conversation } from '../conversation.ts';
import { HeldLease } from '../held-lease.ts';
import type { LeaseMemory } from '../lease-store.ts';
import type { HostName, Operator, OperatorOutputs } from '../operator.ts';
import { Pauses } from '../pauses.ts';
import {
  type Dhcp4Answer,
  type Dhcp4Lease,
  dhcp4LeaseMessage,
  readDhcp4Answer,
  readDhcp4Lease,
} from './dhcp4-lease.ts';
import {
  type Dhcp4Identity,
  type Dhcp4Message,
  DISCOVER,
  dhcp4Type,
  encodeDhcp4Message,
  isDhcp4Reply,
  OFFER,
  REQUEST,
} from './dhcp4-messages.ts';
import { dhcp4Address, dhcp4Hostname, dhcp4Outputs } from './dhcp4-outputs.ts';
import type { Dhcp4Channel, Dhcp4Link, Dhcp4Transport } from './dhcp4-transport.ts';

export interface Dhcp4ClientDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly transport: Dhcp4Transport;
  readonly memory: LeaseMemory;
  /** Whether the link has this address (CIDR) now. */
  readonly isOnLink: (address: string) => boolean;
  /** Called when the outputs or the problem differ. */
  readonly changed: () => void;
}

export interface Dhcp4ClientOptions {
  readonly link: Dhcp4Link;
  readonly routeMetric: number;
  /** Value of option 61; absent: none is sent. */
  readonly clientId?: Uint8Array;
  readonly skipHostnameRequest: boolean;
}

const NOBODY: HostName = { hostname: '', domainname: '' };
/** Between two sendings of the same message: half to all of 4 s, 8 s, … 64 s (RFC 2131 section 4.1). */
const RESEND = { firstMs: 4_000, maxMs: 64_000 } as const;
/** After a refusal of a server or of this host. */
const AFTER_REFUSAL = { firstMs: 1_000, maxMs: 60_000 } as const;
const DISCOVER_TRIES = Number.POSITIVE_INFINITY;
const REQUEST_TRIES = 4;
const RENEW_TRIES = 3;
const REBOOT_TRIES = 2;
/** Changes of the host's name within this time are one. */
const HOSTNAME_SETTLES_MS = 1_000;

/** What there is to begin with. */
type Known =
  /** The host has the address. */
  | { readonly do: 'renew'; readonly lease: Dhcp4Lease }
  /** An earlier run had it: it may be of another network. */
  | { readonly do: 'confirm'; readonly lease: Dhcp4Lease; readonly endsMs: number };

/**
 * A DHCPv4 client for one link, from when it is made until it is stopped. It discovers until a server answers, renews at half of the
 * lease with the server that gave it, begins anew when that one is silent or refuses, and lets its outputs go when the lease has
 * ended. It tells its server the host's name when that comes from elsewhere, and never asks for one in the same exchange (servers
 * would echo it). The lease is not released at the end but remembered: a restart has it again, also while no server answers.
 *
 * @see RFC 2131, sections 3.2 and 4.4.2 for what is remembered
 */
export class Dhcp4Client implements Operator {
  readonly #deps: Dhcp4ClientDeps;
  readonly #options: Dhcp4ClientOptions;
  readonly #pauses: Pauses;
  readonly #held: HeldLease;
  readonly #talk: Conversation<DhcpPacket>;
  readonly #ended: Promise<void>;
  /** undefined: discover. */
  #known: Known | undefined;
  #isHolding = false;
  #ownName: HostnameSpec | undefined;
  #hostname = NOBODY;
  /** What the server was told. */
  #told = NOBODY;
  #refusals = 0;

  constructor(options: Dhcp4ClientOptions, deps: Dhcp4ClientDeps) {
    const log = deps.log.with({ link: options.link.name });
    this.#options = options;
    this.#deps = { ...deps, log };
    this.#pauses = new Pauses(deps.clock);
    this.#held = new HeldLease('dhcp4', this.#deps);
    this.#talk = new Conversation({
      ...this.#deps,
      pauses: this.#pauses,
      decode: decodeDhcp,
      resend: RESEND,
      onSilence: () => this.#held.blame(`no DHCP server answers on ${options.link.name}`),
    });
    this.#recall();
    this.#ended = this.#run();
  }

  get outputs(): OperatorOutputs {
    return this.#held.outputs;
  }

  get problem(): string | undefined {
    return this.#held.problem;
  }

  hostnameIs(hostname: HostName): void {
    if (isSameName(hostname, this.#hostname)) return;
    this.#hostname = hostname;
    if (this.#isHolding && this.#mustTellName()) this.#pauses.wake();
  }

  async stop(): Promise<void> {
    this.#pauses.stop();
    await this.#ended;
    this.#held.stop();
  }

  async #run(): Promise<void> {
    // Who has made it tells it the host's name meanwhile.
    await Promise.resolve();
    while (!this.#pauses.isStopped) {
      const answer = await this.#tryOnce();
      if (this.#pauses.isStopped) return;
      if (answer === undefined) continue;
      if (answer === 'refused') await this.#pauses.pause(this.#afterRefusalMs());
      else {
        this.#refusals = 0;
        await this.#hold(answer);
      }
    }
  }

  /** What the host still has of an earlier run, or of other settings, goes on without a gap; what it has not is asked for first. */
  #recall(): void {
    const remembered = this.#held.recall((message) => readDhcp4Lease(decodeDhcp(message)));
    if (remembered === undefined) return;
    const { lease, endsMs, hostname } = remembered;
    if (hostname !== undefined && !this.#options.skipHostnameRequest) {
      this.#ownName = HostnameSpec.make({ ...hostname, layer: 'operator' });
    }
    if (!this.#deps.isOnLink(dhcp4Address(lease))) this.#known = { do: 'confirm', lease, endsMs };
    else {
      this.#held.resume(this.#outputsOf(lease), endsMs);
      this.#known = { do: 'renew', lease };
    }
  }

  /** One exchange: about the lease that there is, else from the beginning. undefined: nobody answered. */
  async #tryOnce(): Promise<Dhcp4Answer | undefined> {
    const known = this.#known;
    const identity = this.#identity();
    try {
      const answer = await this.#ask(identity, known);
      this.#known = undefined;
      if (this.#pauses.isStopped && answer === undefined) return undefined;
      if (answer === 'refused' && known !== undefined) this.#held.lose('refused');
      if (answer === undefined && known?.do === 'confirm')
        this.#held.resume(this.#outputsOf(known.lease), known.endsMs);
      if (answer !== undefined && answer !== 'refused') this.#take(answer, identity, known?.lease);
      return answer;
    } catch (error) {
      if (known?.do === 'renew') this.#known = undefined;
      this.#held.blame(errorText(error));
      return 'refused';
    }
  }

  async #ask(identity: Dhcp4Identity, known: Known | undefined): Promise<Dhcp4Answer | undefined> {
    if (known?.do === 'renew') return await this.#renew(identity, known.lease);
    using channel = await this.#broadcast();
    if (known !== undefined) return await this.#confirm(channel, identity, known.lease);
    return await this.#acquire(channel, identity);
  }

  async #acquire(channel: Dhcp4Channel, identity: Dhcp4Identity): Promise<Dhcp4Answer | undefined> {
    const previous = this.outputs.addresses[0]?.address.split('/')[0];
    const wish = previous === undefined ? {} : { requestedAddress: previous };
    const offer = await this.#exchange(channel, identity, { type: DISCOVER, ...wish }, DISCOVER_TRIES, (packet) =>
      dhcp4Type(packet) === OFFER ? readDhcp4Lease(packet) : undefined,
    );
    if (offer === undefined) return undefined;
    const { address, server } = offer;
    const request = { type: REQUEST, requestedAddress: address, server };
    return await this.#exchange(channel, identity, request, REQUEST_TRIES, (packet) => readDhcp4Answer(packet, server));
  }

  /** Any server may say whether an address is right here (INIT-REBOOT). */
  #confirm(channel: Dhcp4Channel, identity: Dhcp4Identity, { address }: Dhcp4Lease): Promise<Dhcp4Answer | undefined> {
    const request = { type: REQUEST, requestedAddress: address };
    return this.#exchange(channel, identity, request, REBOOT_TRIES, (packet) => readDhcp4Answer(packet));
  }

  async #renew(identity: Dhcp4Identity, { address, server }: Dhcp4Lease): Promise<Dhcp4Answer | undefined> {
    using channel = await this.#unicast(address, server);
    const request = { type: REQUEST, clientAddress: address };
    return await this.#exchange(channel, identity, request, RENEW_TRIES, (packet) => readDhcp4Answer(packet, server));
  }

  /** Send a message again and again until something is accepted. undefined: no answer, or no longer wanted. */
  #exchange<T>(
    channel: Dhcp4Channel,
    identity: Dhcp4Identity,
    message: Omit<Dhcp4Message, 'xid' | 'seconds'>,
    tries: number,
    accept: (packet: DhcpPacket) => T | undefined,
  ): Promise<T | undefined> {
    const xid = Buffer.from(this.#deps.random(4)).readUInt32BE();
    return this.#talk.ask({
      tries,
      send: (elapsedMs) => {
        const seconds = Math.floor(elapsedMs / 1_000);
        channel.send(encodeDhcp4Message(identity, { ...message, xid, seconds }));
      },
      accept: (packet) => (isDhcp4Reply(packet, xid, identity.link) ? accept(packet) : undefined),
    });
  }

  /** Keep a lease until it is to be renewed, or the server is to be told another name. */
  async #hold(lease: Dhcp4Lease): Promise<void> {
    this.#known = { do: 'renew', lease };
    this.#isHolding = true;
    await this.#pauses.pause(lease.renewMs, () => this.#mustTellName());
    while (!this.#pauses.isStopped && this.#mustTellName()) {
      const name = this.#hostname;
      await this.#pauses.pause(HOSTNAME_SETTLES_MS);
      if (!isSameName(name, this.#hostname)) continue;
      // Neither renewals nor rebinding change the name at every server: only a new lease does.
      this.#known = undefined;
      break;
    }
    this.#isHolding = false;
  }

  #take(lease: Dhcp4Lease, identity: Dhcp4Identity, before: Dhcp4Lease | undefined): void {
    if (identity.wantsHostname) this.#ownName = dhcp4Hostname(lease.ack);
    this.#told = identity.hostname;
    const { server, leaseMs } = lease;
    const isRenewed = before?.address === lease.address && before.server === server;
    const message = dhcp4LeaseMessage(lease);
    this.#held.take({ outputs: this.#outputsOf(lease), leaseMs, message, server, isRenewed });
  }

  #outputsOf(lease: Dhcp4Lease): OperatorOutputs {
    const { routeMetric, link } = this.#options;
    return dhcp4Outputs(lease, { linkName: link.name, routeMetric, hostname: this.#ownName });
  }

  #identity(): Dhcp4Identity {
    const { link, clientId, skipHostnameRequest } = this.#options;
    // The first exchange never tells a name: it finds out whether the server has one for us.
    const hostname = this.#held.isEmpty ? NOBODY : this.#nameToTell();
    return {
      link,
      hostname,
      wantsHostname: hostname.hostname === '' && !skipHostnameRequest,
      ...(clientId === undefined ? {} : { clientId }),
    };
  }

  /** The host's name, unless it is the one that the server gave. */
  #nameToTell(): HostName {
    const own = this.#ownName;
    return own !== undefined && isSameName(own, this.#hostname) ? NOBODY : this.#hostname;
  }

  #mustTellName(): boolean {
    return !isSameName(this.#nameToTell(), this.#told);
  }

  #broadcast(): Promise<Dhcp4Channel> {
    return this.#deps.transport.broadcast(this.#options.link, (payload) => this.#talk.receive(payload));
  }

  /** From the leased address; by broadcast where the host has not got it, or not any more. */
  async #unicast(address: string, server: string): Promise<Dhcp4Channel> {
    try {
      const way = { from: address, to: server };
      return await this.#deps.transport.unicast(this.#options.link, way, (payload) => this.#talk.receive(payload));
    } catch (error) {
      this.#deps.log.debug('dhcp4.renewByBroadcast', { problem: errorText(error) });
      return await this.#broadcast();
    }
  }

  #afterRefusalMs(): number {
    return backOffMs(++this.#refusals, AFTER_REFUSAL, () => fraction(this.#deps.random));
  }
}

function isSameName(a: HostName, b: HostName): boolean {
  return a.hostname === b.hostname && a.domainname === b.domainname;
}
