import { backOffMs, type Clock, errorText, fraction, type Logger, type RandomBytes } from '@bloomery/ports';
import {
  DHCP6_MESSAGE,
  DHCP6_OPTION,
  DHCP6_STATUS,
  type Dhcp6Message,
  type Dhcp6Option,
  decodeDhcp6,
  dhcp6Association,
  encodeDhcp6,
  readDhcp6Status,
} from '@bloomery/wire';
import { Conversation } from '../conversation.ts';
import { HeldLease } from '../held-lease.ts';
import type { LeaseMemory } from '../lease-store.ts';
import type { Operator, OperatorOutputs } from '../operator.ts';
import { Pauses } from '../pauses.ts';
import { type Dhcp6Lease, type Dhcp6Refusal, dhcp6Option, dhcp6Outputs, readDhcp6Lease } from './dhcp6-lease.ts';
import type { Dhcp6Channel, Dhcp6Transport } from './dhcp6-transport.ts';

export interface Dhcp6ClientDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly transport: Dhcp6Transport;
  /** The link-local address of the link; undefined while it has none, or nobody knows yet whether it is its own. */
  readonly linkLocal: () => string | undefined;
  /** Called when the link's addresses change. Returns the function that ends it. */
  readonly onAddresses: (listener: () => void) => () => void;
  /** Lets the kernel take router advertisements on the link while the client runs. Returns the function that undoes it. */
  readonly hearRouters?: () => Promise<() => Promise<void>>;
  readonly memory: LeaseMemory;
  /** Whether the link has this address (CIDR) now. */
  readonly isOnLink: (address: string) => boolean;
  /** Called when the outputs or the problem differ. */
  readonly changed: () => void;
}

export interface Dhcp6ClientOptions {
  readonly linkName: string;
  /** DUID of this host. */
  readonly clientId: Uint8Array;
  /** Tells the association of this link from those of others of this host; 32 bits. */
  readonly iaid: number;
  readonly skipHostnameRequest: boolean;
}

/** Between two sendings: half to all of 2 s, 4 s, … 120 s (RFC 8415 section 7.6). */
const RESEND = { firstMs: 2_000, maxMs: 120_000 } as const;
const AFTER_REFUSAL = { firstMs: 2_000, maxMs: 120_000 } as const;
const SOLICIT_TRIES = Number.POSITIVE_INFINITY;
const REQUEST_TRIES = 4;
const RENEW_TRIES = 4;
const CONFIRM_TRIES = 2;
/** How long a link may have no address before it is said. */
const NO_ADDRESS_MS = 30_000;

const WANTED = [
  DHCP6_OPTION.DNS,
  DHCP6_OPTION.DOMAIN_SEARCH,
  DHCP6_OPTION.SNTP_SERVERS,
  DHCP6_OPTION.CLIENT_FQDN,
  DHCP6_OPTION.NTP_SERVERS,
];

type Answer = Dhcp6Lease | Dhcp6Refusal;

/** What there is to begin with. */
type Known =
  /** The host has the address. */
  | { readonly do: 'renew'; readonly lease: Dhcp6Lease }
  /** An earlier run had it: it may be of another network. */
  | { readonly do: 'confirm'; readonly lease: Dhcp6Lease; readonly endsMs: number };

/** What is asked, but for what is the same in all messages. */
interface Asked {
  readonly type: number;
  readonly options: readonly Dhcp6Option[];
  readonly tries: number;
}

/**
 * A client of DHCPv6 for one address (IA_NA) on one link, from when it is made until it is stopped. It waits for the link's own
 * address, solicits, renews at half of the lifetime with its server, then asks any (rebind), then begins anew. Its outputs go when the
 * lifetime has ended. The lease is not released at the end but remembered: a restart has it again, also while no server answers. Routes
 * come from router advertisements, which the kernel deals with.
 *
 * @see RFC 8415 section 18.2; 18.2.3 for what is remembered
 */
export class Dhcp6Client implements Operator {
  readonly #options: Dhcp6ClientOptions;
  readonly #deps: Dhcp6ClientDeps;
  readonly #pauses: Pauses;
  readonly #held: HeldLease;
  readonly #talk: Conversation<Dhcp6Message>;
  readonly #ended: Promise<void>;
  /** undefined: solicit. */
  #known: Known | undefined;
  #refusals = 0;
  /** A server has said in the present exchange that it has nothing. */
  #isRefused = false;

  constructor(options: Dhcp6ClientOptions, deps: Dhcp6ClientDeps) {
    const log = deps.log.with({ link: options.linkName });
    this.#options = options;
    this.#deps = { ...deps, log };
    this.#pauses = new Pauses(deps.clock);
    this.#held = new HeldLease('dhcp6', this.#deps);
    this.#talk = new Conversation({
      ...this.#deps,
      pauses: this.#pauses,
      decode: decodeDhcp6,
      resend: RESEND,
      onSilence: () => {
        if (!this.#isRefused) this.#held.blame(`no DHCPv6 server answers on ${options.linkName}`);
      },
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

  /** Names are not told: servers that keep them do it by DHCPv4 or by configuration. */
  hostnameIs(): void {}

  async stop(): Promise<void> {
    this.#pauses.stop();
    await this.#ended;
    this.#held.stop();
  }

  async #run(): Promise<void> {
    const undo = await this.#deps.hearRouters?.();
    await this.#keepLease();
    await undo?.();
  }

  /** What the host still has of an earlier run, or of other settings, goes on without a gap; what it has not is asked for first. */
  #recall(): void {
    const remembered = this.#held.recall((message) => {
      const lease = readDhcp6Lease(decodeDhcp6(message), this.#options.iaid);
      return lease === undefined || 'status' in lease ? undefined : lease;
    });
    if (remembered === undefined) return;
    const { lease, endsMs } = remembered;
    const outputs = this.#outputsOf(lease);
    const isThere = outputs.addresses.every(({ address }) => this.#deps.isOnLink(address));
    if (isThere) this.#held.resume(outputs, endsMs);
    this.#known = isThere ? { do: 'renew', lease } : { do: 'confirm', lease, endsMs };
  }

  async #keepLease(): Promise<void> {
    while (!this.#pauses.isStopped) {
      const answer = await this.#tryOnce();
      if (this.#pauses.isStopped || answer === undefined) continue;
      if ('status' in answer) {
        this.#blameStatus(answer);
        await this.#pauses.pause(this.#afterRefusalMs());
      } else {
        this.#refusals = 0;
        this.#known = { do: 'renew', lease: answer };
        await this.#pauses.pause(answer.renewMs);
      }
    }
  }

  /** One exchange: about the lease that there is, else from the beginning. undefined: nobody answered, or to be tried anew at once. */
  async #tryOnce(): Promise<Answer | undefined> {
    const known = this.#known;
    this.#isRefused = false;
    try {
      const own = await this.#ownAddress();
      if (own === undefined) return undefined;
      const { linkName } = this.#options;
      using channel = await this.#deps.transport.open(linkName, own, (payload) => this.#talk.receive(payload));
      if (known?.do === 'confirm') {
        await this.#confirm(channel, known);
        return undefined;
      }
      const answer = known === undefined ? await this.#acquire(channel) : await this.#renew(channel, known.lease);
      this.#known = undefined;
      if (answer !== undefined && !('status' in answer)) this.#take(answer, known?.lease);
      // The binding is gone at the server: it is no refusal to give another.
      return known !== undefined && answer !== undefined && 'status' in answer ? undefined : answer;
    } catch (error) {
      if (known?.do === 'renew') this.#known = undefined;
      this.#held.blame(errorText(error));
      await this.#pauses.pause(this.#afterRefusalMs());
      return undefined;
    }
  }

  async #ownAddress(): Promise<string | undefined> {
    const { linkLocal, onAddresses } = this.#deps;
    const stop = onAddresses(() => {
      if (linkLocal() !== undefined) this.#pauses.wake();
    });
    try {
      while (!this.#pauses.isStopped) {
        const address = linkLocal();
        if (address !== undefined) return address;
        await this.#pauses.pause(NO_ADDRESS_MS, () => linkLocal() !== undefined);
        if (linkLocal() === undefined && !this.#pauses.isStopped) {
          this.#held.blame(`${this.#options.linkName} has no link-local IPv6 address`);
        }
      }
      return undefined;
    } finally {
      stop();
    }
  }

  async #acquire(channel: Dhcp6Channel): Promise<Answer | undefined> {
    const rapid = { code: DHCP6_OPTION.RAPID_COMMIT, value: new Uint8Array() };
    const solicit = { type: DHCP6_MESSAGE.SOLICIT, options: [rapid, this.#association()], tries: SOLICIT_TRIES };
    const found = await this.#exchange(channel, solicit, (message) => {
      const isRapid = dhcp6Option(message.options, DHCP6_OPTION.RAPID_COMMIT) !== undefined;
      const isAnswer = message.type === DHCP6_MESSAGE.ADVERTISE || (message.type === DHCP6_MESSAGE.REPLY && isRapid);
      const lease = isAnswer ? readDhcp6Lease(message, this.#options.iaid) : undefined;
      // Another server may have what this one has not (RFC 8415 section 18.2.9).
      if (lease !== undefined && 'status' in lease) this.#blameStatus(lease);
      return lease === undefined || 'status' in lease ? undefined : { lease, type: message.type };
    });
    if (found === undefined || found.type === DHCP6_MESSAGE.REPLY) return found?.lease;
    const { server, address } = found.lease;
    const options = [{ code: DHCP6_OPTION.SERVER_ID, value: server }, this.#association(address)];
    const request = { type: DHCP6_MESSAGE.REQUEST, options, tries: REQUEST_TRIES };
    return await this.#exchange(channel, request, this.#replyOf(server));
  }

  /** Ask any server whether the address is right here. Only a no counts: it is had again otherwise, and renewed. */
  async #confirm(channel: Dhcp6Channel, { lease, endsMs }: Extract<Known, { do: 'confirm' }>): Promise<void> {
    const confirm = { type: DHCP6_MESSAGE.CONFIRM, options: [this.#association(lease.address)], tries: CONFIRM_TRIES };
    const status = await this.#exchange(channel, confirm, ({ type, options }) =>
      type === DHCP6_MESSAGE.REPLY ? readDhcp6Status(options) : undefined,
    );
    if (this.#pauses.isStopped) return;
    const isWrong = status === DHCP6_STATUS.NOT_ON_LINK;
    this.#known = isWrong ? undefined : { do: 'renew', lease };
    if (isWrong) this.#held.lose('refused');
    else this.#held.resume(this.#outputsOf(lease), endsMs);
  }

  async #renew(channel: Dhcp6Channel, { server, address }: Dhcp6Lease): Promise<Answer | undefined> {
    const own = this.#association(address);
    const chosen = [{ code: DHCP6_OPTION.SERVER_ID, value: server }, own];
    const renew = { type: DHCP6_MESSAGE.RENEW, options: chosen, tries: RENEW_TRIES };
    const renewed = await this.#exchange(channel, renew, this.#replyOf(server));
    if (renewed !== undefined) return renewed;
    const rebind = { type: DHCP6_MESSAGE.REBIND, options: [own], tries: RENEW_TRIES };
    return await this.#exchange(channel, rebind, this.#replyOf());
  }

  /** What a server says to a request. @param server The one that was asked; undefined: any was. */
  #replyOf(server?: Uint8Array): (message: Dhcp6Message) => Answer | undefined {
    return (message) => {
      const sender = dhcp6Option(message.options, DHCP6_OPTION.SERVER_ID) ?? new Uint8Array();
      const isAsked = server === undefined || Buffer.from(server).equals(sender);
      const isReply = message.type === DHCP6_MESSAGE.REPLY && isAsked;
      return isReply ? readDhcp6Lease(message, this.#options.iaid) : undefined;
    };
  }

  /** Send a message again and again until something is accepted. undefined: no answer, or no longer wanted. */
  #exchange<T>(
    channel: Dhcp6Channel,
    { type, options, tries }: Asked,
    accept: (message: Dhcp6Message) => T | undefined,
  ): Promise<T | undefined> {
    const { clientId } = this.#options;
    const xid = Buffer.from(this.#deps.random(3)).readUIntBE(0, 3);
    const wanted = Uint8Array.from(WANTED.flatMap((code) => [code >> 8, code & 0xff]));
    return this.#talk.ask({
      tries,
      send: (elapsedMs) => {
        const elapsed = Math.min(Math.floor(elapsedMs / 10), 0xffff);
        const common = [
          { code: DHCP6_OPTION.CLIENT_ID, value: clientId },
          { code: DHCP6_OPTION.ELAPSED_TIME, value: Uint8Array.of(elapsed >> 8, elapsed & 0xff) },
          { code: DHCP6_OPTION.OPTION_REQUEST, value: wanted },
        ];
        channel.send(encodeDhcp6({ type, xid, options: [...common, ...options] }));
      },
      accept: (message) => {
        const client = dhcp6Option(message.options, DHCP6_OPTION.CLIENT_ID) ?? new Uint8Array();
        return message.xid === xid && Buffer.from(clientId).equals(client) ? accept(message) : undefined;
      },
    });
  }

  #association(address?: string): Dhcp6Option {
    const addresses = address === undefined ? [] : [{ address, preferredSeconds: 0, validSeconds: 0 }];
    return dhcp6Association({ iaid: this.#options.iaid, renewSeconds: 0, rebindSeconds: 0, addresses, status: 0 });
  }

  #take(lease: Dhcp6Lease, before: Dhcp6Lease | undefined): void {
    this.#held.take({
      outputs: this.#outputsOf(lease),
      leaseMs: lease.leaseMs,
      message: encodeDhcp6(lease.reply),
      isRenewed: before?.address === lease.address,
    });
  }

  #outputsOf(lease: Dhcp6Lease): OperatorOutputs {
    return dhcp6Outputs(lease, this.#options.linkName, this.#options.skipHostnameRequest);
  }

  #blameStatus({ status }: Dhcp6Refusal): void {
    this.#isRefused = true;
    this.#held.blame(`a DHCPv6 server leases no address on ${this.#options.linkName} (${statusName(status)})`);
  }

  #afterRefusalMs(): number {
    return backOffMs(++this.#refusals, AFTER_REFUSAL, () => fraction(this.#deps.random));
  }
}

function statusName(status: number): string {
  const name = Object.entries(DHCP6_STATUS).find(([, number]) => number === status)?.[0];
  return name?.toLowerCase().replaceAll('_', ' ') ?? `status ${status}`;
}
