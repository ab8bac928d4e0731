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
} from '@bloomery/wire';
import { NO_OUTPUTS, type Operator, type OperatorOutputs } from '../operator.ts';
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
const SILENT_AFTER = 2;
/** How long a link may have no address before it is said. */
const NO_ADDRESS_MS = 30_000;

const WANTED = [
  DHCP6_OPTION.DNS,
  DHCP6_OPTION.DOMAIN_SEARCH,
  DHCP6_OPTION.SNTP_SERVERS,
  DHCP6_OPTION.CLIENT_FQDN,
  DHCP6_OPTION.NTP_SERVERS,
];

type Accept<T> = (message: Dhcp6Message) => T | undefined;

/**
 * A client of DHCPv6 for one address (IA_NA) on one link, from when it is made until it is stopped. It waits for the link's own
 * address, solicits, renews at half of the lifetime with its server, then asks any (rebind), then begins anew. Its outputs go when the
 * lifetime has ended. Routes come from router advertisements, which the kernel deals with.
 *
 * @see RFC 8415 section 18.2
 */
export class Dhcp6Client implements Operator {
  readonly #options: Dhcp6ClientOptions;
  readonly #deps: Dhcp6ClientDeps;
  readonly #pauses: Pauses;
  readonly #ended: Promise<void>;
  #outputs: OperatorOutputs = NO_OUTPUTS;
  #problem: string | undefined;
  #lease: Dhcp6Lease | undefined;
  #refusals = 0;
  #onMessage: ((message: Dhcp6Message) => void) | undefined;
  #cancelExpiry = (): void => {};

  constructor(options: Dhcp6ClientOptions, deps: Dhcp6ClientDeps) {
    this.#options = options;
    this.#deps = { ...deps, log: deps.log.with({ link: options.linkName }) };
    this.#pauses = new Pauses(deps.clock);
    this.#ended = this.#run();
  }

  get outputs(): OperatorOutputs {
    return this.#outputs;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Names are not told: servers that keep them do it by DHCPv4 or by configuration. */
  hostnameIs(): void {}

  async stop(): Promise<void> {
    this.#pauses.stop();
    await this.#ended;
    this.#cancelExpiry();
  }

  async #run(): Promise<void> {
    const undo = await this.#deps.hearRouters?.();
    await this.#keepLease();
    await undo?.();
  }

  async #keepLease(): Promise<void> {
    while (!this.#pauses.isStopped) {
      const answer = await this.#tryOnce();
      if (this.#pauses.isStopped || answer === undefined) continue;
      if ('status' in answer) {
        this.#blame(`a DHCPv6 server leases no address on ${this.#options.linkName} (${statusName(answer.status)})`);
        await this.#pauses.pause(this.#backOff(++this.#refusals, AFTER_REFUSAL));
      } else {
        this.#refusals = 0;
        await this.#pauses.pause(answer.renewMs);
      }
    }
  }

  /** One exchange: a renewal if there is a lease, else from the beginning. undefined: nobody answered. */
  async #tryOnce(): Promise<Dhcp6Lease | Dhcp6Refusal | undefined> {
    const renewed = this.#lease;
    try {
      const address = await this.#ownAddress();
      if (address === undefined) return undefined;
      const { linkName } = this.#options;
      using channel = await this.#deps.transport.open(linkName, address, (payload) => this.#receive(payload));
      const answer = renewed === undefined ? await this.#acquire(channel) : await this.#renew(channel, renewed);
      if (answer === undefined || 'status' in answer) this.#lease = undefined;
      else this.#take(answer);
      // The binding is gone at the server: it is no refusal to give another.
      return renewed !== undefined && answer !== undefined && 'status' in answer ? undefined : answer;
    } catch (error) {
      this.#lease = undefined;
      this.#blame(errorText(error));
      await this.#pauses.pause(this.#backOff(++this.#refusals, AFTER_REFUSAL));
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
        if (linkLocal() === undefined) this.#blame(`${this.#options.linkName} has no link-local IPv6 address`);
      }
      return undefined;
    } finally {
      stop();
    }
  }

  async #acquire(channel: Dhcp6Channel): Promise<Dhcp6Lease | Dhcp6Refusal | undefined> {
    const rapid = { code: DHCP6_OPTION.RAPID_COMMIT, value: new Uint8Array() };
    const found = await this.#exchange(
      channel,
      DHCP6_MESSAGE.SOLICIT,
      [rapid, this.#association()],
      SOLICIT_TRIES,
      (message) => {
        const isRapid = dhcp6Option(message.options, DHCP6_OPTION.RAPID_COMMIT) !== undefined;
        const isAnswer = message.type === DHCP6_MESSAGE.ADVERTISE || (message.type === DHCP6_MESSAGE.REPLY && isRapid);
        const lease = isAnswer ? readDhcp6Lease(message, this.#options.iaid) : undefined;
        return lease === undefined ? undefined : { lease, isFinal: message.type === DHCP6_MESSAGE.REPLY };
      },
    );
    if (found === undefined || found.isFinal || 'status' in found.lease) return found?.lease;
    const { server, address } = found.lease;
    const chosen = [{ code: DHCP6_OPTION.SERVER_ID, value: server }, this.#association(address)];
    return await this.#exchange(channel, DHCP6_MESSAGE.REQUEST, chosen, REQUEST_TRIES, this.#reply());
  }

  async #renew(channel: Dhcp6Channel, { server, address }: Dhcp6Lease): Promise<Dhcp6Lease | Dhcp6Refusal | undefined> {
    const own = this.#association(address);
    const chosen = [{ code: DHCP6_OPTION.SERVER_ID, value: server }, own];
    const renewed = await this.#exchange(channel, DHCP6_MESSAGE.RENEW, chosen, RENEW_TRIES, this.#reply());
    if (renewed !== undefined) return renewed;
    return await this.#exchange(channel, DHCP6_MESSAGE.REBIND, [own], RENEW_TRIES, this.#reply());
  }

  #reply(): Accept<Dhcp6Lease | Dhcp6Refusal> {
    return (message) =>
      message.type === DHCP6_MESSAGE.REPLY ? readDhcp6Lease(message, this.#options.iaid) : undefined;
  }

  /** Send a message again and again until something is accepted. undefined: no answer, or no longer wanted. */
  async #exchange<T>(
    channel: Dhcp6Channel,
    type: number,
    options: readonly Dhcp6Option[],
    tries: number,
    accept: Accept<T>,
  ): Promise<T | undefined> {
    const { clock, random } = this.#deps;
    const { clientId, linkName } = this.#options;
    const xid = Buffer.from(random(3)).readUIntBE(0, 3);
    const begunMs = clock.nowMs();
    const found: { answer?: T } = {};
    this.#onMessage = (message) => {
      const client = dhcp6Option(message.options, DHCP6_OPTION.CLIENT_ID);
      if (found.answer !== undefined || message.xid !== xid || !Buffer.from(clientId).equals(client ?? Buffer.of()))
        return;
      const answer = accept(message);
      if (answer === undefined) return;
      found.answer = answer;
      this.#pauses.wake();
    };
    for (let sent = 1; sent <= tries && !this.#pauses.isStopped; sent++) {
      const elapsed = Math.min(Math.max(0, Math.floor((clock.nowMs() - begunMs) / 10)), 0xffff);
      const common = [
        { code: DHCP6_OPTION.CLIENT_ID, value: clientId },
        { code: DHCP6_OPTION.ELAPSED_TIME, value: Uint8Array.of(elapsed >> 8, elapsed & 0xff) },
        {
          code: DHCP6_OPTION.OPTION_REQUEST,
          value: Uint8Array.from(WANTED.flatMap((code) => [code >> 8, code & 0xff])),
        },
      ];
      channel.send(encodeDhcp6({ type, xid, options: [...common, ...options] }));
      await this.#pauses.pause(this.#backOff(sent, RESEND), () => found.answer !== undefined);
      if (found.answer !== undefined) break;
      if (sent === SILENT_AFTER) this.#blame(`no DHCPv6 server answers on ${linkName}`);
    }
    this.#onMessage = undefined;
    return found.answer;
  }

  #association(address?: string): Dhcp6Option {
    const addresses = address === undefined ? [] : [{ address, preferredSeconds: 0, validSeconds: 0 }];
    return dhcp6Association({ iaid: this.#options.iaid, renewSeconds: 0, rebindSeconds: 0, addresses, status: 0 });
  }

  #take(lease: Dhcp6Lease): void {
    const { log, clock, changed } = this.#deps;
    const level = this.#lease?.address === lease.address ? 'debug' : 'info';
    this.#lease = lease;
    this.#problem = undefined;
    this.#outputs = dhcp6Outputs(lease, this.#options.linkName, this.#options.skipHostnameRequest);
    this.#cancelExpiry();
    this.#cancelExpiry = clock.after(lease.validMs, () => this.#expire());
    log[level]('dhcp6.leased', { address: lease.address, validSeconds: lease.validMs / 1_000 });
    changed();
  }

  #expire(): void {
    if (this.#outputs === NO_OUTPUTS) return;
    this.#deps.log.warn('dhcp6.lost', { address: this.#outputs.addresses[0]?.address, reason: 'expired' });
    this.#outputs = NO_OUTPUTS;
    this.#deps.changed();
  }

  #blame(problem: string): void {
    if (this.#problem === problem || this.#pauses.isStopped) return;
    this.#problem = problem;
    this.#deps.log.warn('dhcp6.problem', { problem });
    this.#deps.changed();
  }

  #receive(payload: Uint8Array): void {
    try {
      this.#onMessage?.(decodeDhcp6(payload));
    } catch (error) {
      this.#deps.log.debug('dhcp6.malformed', { problem: errorText(error) });
    }
  }

  #backOff(times: number, bounds: typeof RESEND | typeof AFTER_REFUSAL): number {
    return backOffMs(times, bounds, () => fraction(this.#deps.random));
  }
}

function statusName(status: number): string {
  const name = Object.entries(DHCP6_STATUS).find(([, number]) => number === status)?.[0];
  return name?.toLowerCase().replaceAll('_', ' ') ?? `status ${status}`;
}
