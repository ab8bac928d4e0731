import { backOffMs, type Clock, errorText, fraction, type Logger, type RandomBytes } from '@bloomery/ports';
import { type DhcpPacket, decodeDhcp } from '@bloomery/wire';
import type { HostnameSpec } from '../../resources/index.ts';
import { type HostName, NO_OUTPUTS, type Operator, type OperatorOutputs } from '../operator.ts';
import { Pauses } from '../pauses.ts';
import { type Dhcp4Lease, readDhcp4Lease } from './dhcp4-lease.ts';
import {
  ACK,
  type Dhcp4Identity,
  type Dhcp4Message,
  DISCOVER,
  dhcp4Type,
  encodeDhcp4Message,
  isDhcp4Reply,
  NAK,
  OFFER,
  REQUEST,
} from './dhcp4-messages.ts';
import { dhcp4Hostname, dhcp4Outputs } from './dhcp4-outputs.ts';
import type { Dhcp4Channel, Dhcp4Link, Dhcp4Transport } from './dhcp4-transport.ts';

export interface Dhcp4ClientDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly transport: Dhcp4Transport;
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
/** Sendings without an answer after which it is said that there is no server. */
const SILENT_AFTER = 2;
/** Changes of the host's name within this time are one. */
const HOSTNAME_SETTLES_MS = 1_000;

type Answer = { readonly lease: Dhcp4Lease } | 'refused';

/**
 * A DHCPv4 client for one link, from when it is made until it is stopped. It discovers until a server answers, renews at half of the
 * lease with the server that gave it, begins anew when that one is silent or refuses, and lets its outputs go when the lease has
 * ended. It tells its server the host's name when that comes from elsewhere, and never asks for one in the same exchange (servers
 * would echo it). The lease is not released at the end: a restart finds the same address.
 *
 * @see RFC 2131
 */
export class Dhcp4Client implements Operator {
  readonly #deps: Dhcp4ClientDeps;
  readonly #options: Dhcp4ClientOptions;
  readonly #pauses: Pauses;
  readonly #ended: Promise<void>;
  #outputs: OperatorOutputs = NO_OUTPUTS;
  #problem: string | undefined;
  /** The lease to renew; undefined: discover. */
  #lease: Dhcp4Lease | undefined;
  #ownName: HostnameSpec | undefined;
  #hostname = NOBODY;
  /** What the server was told. */
  #told = NOBODY;
  #refusals = 0;
  #onPacket: ((packet: DhcpPacket) => void) | undefined;
  #cancelExpiry = (): void => {};

  constructor(options: Dhcp4ClientOptions, deps: Dhcp4ClientDeps) {
    this.#options = options;
    this.#deps = { ...deps, log: deps.log.with({ link: options.link.name }) };
    this.#pauses = new Pauses(deps.clock);
    this.#ended = this.#run();
  }

  get outputs(): OperatorOutputs {
    return this.#outputs;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  hostnameIs(hostname: HostName): void {
    if (isSameName(hostname, this.#hostname)) return;
    this.#hostname = hostname;
    if (this.#lease !== undefined && this.#mustTellName()) this.#pauses.wake();
  }

  async stop(): Promise<void> {
    this.#pauses.stop();
    await this.#ended;
    this.#cancelExpiry();
  }

  async #run(): Promise<void> {
    while (!this.#pauses.isStopped) {
      const answer = await this.#tryOnce();
      if (this.#pauses.isStopped) return;
      if (answer === undefined) continue;
      if (answer === 'refused') await this.#pauses.pause(this.#backOff(++this.#refusals, AFTER_REFUSAL));
      else {
        this.#refusals = 0;
        await this.#hold(answer.lease);
      }
    }
  }

  /** One exchange: a renewal if there is a lease, else from the beginning. undefined: nobody answered. */
  async #tryOnce(): Promise<Answer | undefined> {
    const renewed = this.#lease;
    const identity = this.#identity();
    try {
      const answer = renewed === undefined ? await this.#acquire(identity) : await this.#renew(identity, renewed);
      if (answer === 'refused' && renewed !== undefined) this.#expire('refused');
      if (answer === undefined || answer === 'refused') this.#lease = undefined;
      else this.#take(answer.lease, identity);
      return answer;
    } catch (error) {
      this.#lease = undefined;
      this.#blame(errorText(error));
      return 'refused';
    }
  }

  async #acquire(identity: Dhcp4Identity): Promise<Answer | undefined> {
    using channel = await this.#broadcast();
    const previous = this.#outputs.addresses[0]?.address.split('/')[0];
    const wish = previous === undefined ? {} : { requestedAddress: previous };
    const offer = await this.#exchange(channel, identity, { type: DISCOVER, ...wish }, DISCOVER_TRIES, (packet) =>
      dhcp4Type(packet) === OFFER ? readDhcp4Lease(packet) : undefined,
    );
    if (offer === undefined) return undefined;
    const { address, server } = offer;
    const request = { type: REQUEST, requestedAddress: address, server };
    return await this.#exchange(channel, identity, request, REQUEST_TRIES, (packet) => readAnswer(packet, server));
  }

  async #renew(identity: Dhcp4Identity, { address, server }: Dhcp4Lease): Promise<Answer | undefined> {
    using channel = await this.#unicast(address, server);
    const request = { type: REQUEST, clientAddress: address };
    return await this.#exchange(channel, identity, request, RENEW_TRIES, (packet) => readAnswer(packet));
  }

  /** Send a message again and again until something is accepted. undefined: no answer, or no longer wanted. */
  async #exchange<T>(
    channel: Dhcp4Channel,
    identity: Dhcp4Identity,
    message: Omit<Dhcp4Message, 'xid' | 'seconds'>,
    tries: number,
    accept: (packet: DhcpPacket) => T | undefined,
  ): Promise<T | undefined> {
    const { clock, random } = this.#deps;
    const xid = Buffer.from(random(4)).readUInt32BE();
    const begunMs = clock.nowMs();
    const found: { answer?: T } = {};
    this.#onPacket = (packet) => {
      if (found.answer !== undefined || !isDhcp4Reply(packet, xid, identity.link)) return;
      const answer = accept(packet);
      if (answer === undefined) return;
      found.answer = answer;
      this.#pauses.wake();
    };
    for (let sent = 1; sent <= tries && !this.#pauses.isStopped; sent++) {
      const seconds = Math.max(0, Math.floor((clock.nowMs() - begunMs) / 1_000));
      channel.send(encodeDhcp4Message(identity, { ...message, xid, seconds }));
      await this.#pauses.pause(this.#backOff(sent, RESEND), () => found.answer !== undefined);
      if (found.answer !== undefined) break;
      if (sent === SILENT_AFTER) this.#blame(`no DHCP server answers on ${identity.link.name}`);
    }
    this.#onPacket = undefined;
    return found.answer;
  }

  /** Keep a lease until it is to be renewed, or the server is to be told another name. */
  async #hold({ renewMs }: Dhcp4Lease): Promise<void> {
    if (!this.#mustTellName()) await this.#pauses.pause(renewMs, () => this.#mustTellName());
    while (!this.#pauses.isStopped && this.#mustTellName()) {
      const name = this.#hostname;
      await this.#pauses.pause(HOSTNAME_SETTLES_MS);
      if (!isSameName(name, this.#hostname)) continue;
      // Neither renewals nor rebinding change the name at every server: only a new lease does.
      this.#lease = undefined;
      return;
    }
  }

  #take(lease: Dhcp4Lease, identity: Dhcp4Identity): void {
    const { log, clock, changed } = this.#deps;
    const before = this.#lease;
    if (identity.wantsHostname) this.#ownName = dhcp4Hostname(lease.ack);
    this.#lease = lease;
    this.#told = identity.hostname;
    this.#problem = undefined;
    const { routeMetric, link } = this.#options;
    this.#outputs = dhcp4Outputs(lease, { linkName: link.name, routeMetric, hostname: this.#ownName });
    this.#cancelExpiry();
    this.#cancelExpiry = clock.after(lease.leaseMs, () => this.#expire('expired'));
    const { address, server, leaseMs } = lease;
    const level = before?.address === address && before.server === server ? 'debug' : 'info';
    log[level]('dhcp4.leased', { address, server, leaseSeconds: leaseMs / 1_000 });
    changed();
  }

  #expire(reason: string): void {
    this.#cancelExpiry();
    if (this.#outputs === NO_OUTPUTS) return;
    const { log, changed } = this.#deps;
    log.warn('dhcp4.lost', { address: this.#outputs.addresses[0]?.address, reason });
    this.#outputs = NO_OUTPUTS;
    this.#ownName = undefined;
    changed();
  }

  #blame(problem: string): void {
    const { log, changed } = this.#deps;
    if (this.#problem === problem) return;
    this.#problem = problem;
    log.warn('dhcp4.problem', { problem });
    changed();
  }

  #identity(): Dhcp4Identity {
    const { link, clientId, skipHostnameRequest } = this.#options;
    // The first exchange never tells a name: it finds out whether the server has one for us.
    const hostname = this.#outputs === NO_OUTPUTS ? NOBODY : this.#nameToTell();
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
    return this.#deps.transport.broadcast(this.#options.link, (payload) => this.#receive(payload));
  }

  /** From the leased address; by broadcast where the host has not got it, or not any more. */
  async #unicast(address: string, server: string): Promise<Dhcp4Channel> {
    try {
      const way = { from: address, to: server };
      return await this.#deps.transport.unicast(this.#options.link, way, (payload) => this.#receive(payload));
    } catch (error) {
      this.#deps.log.debug('dhcp4.renewByBroadcast', { problem: errorText(error) });
      return await this.#broadcast();
    }
  }

  #receive(payload: Uint8Array): void {
    try {
      this.#onPacket?.(decodeDhcp(payload));
    } catch (error) {
      this.#deps.log.debug('dhcp4.malformed', { problem: errorText(error) });
    }
  }

  #backOff(times: number, bounds: typeof RESEND | typeof AFTER_REFUSAL): number {
    return backOffMs(times, bounds, () => fraction(this.#deps.random));
  }
}

function readAnswer(packet: DhcpPacket, server?: string): Answer | undefined {
  const type = dhcp4Type(packet);
  if (type === NAK) return 'refused';
  const lease = type === ACK ? readDhcp4Lease(packet) : undefined;
  return lease === undefined || (server !== undefined && lease.server !== server) ? undefined : { lease };
}

function isSameName(a: HostName, b: HostName): boolean {
  return a.hostname === b.hostname && a.domainname === b.domainname;
}
