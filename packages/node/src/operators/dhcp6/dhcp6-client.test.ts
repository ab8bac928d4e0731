import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import {
  DHCP6_MESSAGE,
  DHCP6_OPTION,
  type Dhcp6Message,
  type Dhcp6Option,
  decodeDhcp6,
  dhcp6Association,
  encodeDhcp6,
} from '@bloomery/wire';
import fc from 'fast-check';
import { createLeaseMemory, type TestLeaseMemory } from '../testing/lease-memory.ts';
import { Dhcp6Client } from './dhcp6-client.ts';

const CLIENT = Uint8Array.of(0, 3, 0, 1, 2, 0, 0, 0, 0, 1);
const SERVER = Uint8Array.of(0, 2, 9, 9);
const { SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY } = DHCP6_MESSAGE;

interface FakeServer {
  isSilent: boolean;
  isRapid: boolean;
  status: number;
  validSeconds: number;
  /** What it says to CONFIRM. */
  confirms: number;
  options: readonly Dhcp6Option[];
  /** Datagrams before each good answer. */
  before: (good: Uint8Array) => readonly Uint8Array[];
}

const running: Dhcp6Client[] = [];

/** How the host is when the client starts. */
interface Before {
  readonly hasAddress: boolean;
  readonly memory: TestLeaseMemory;
  readonly onLink: readonly string[];
  readonly nowMs: number;
}

const BEGUN_MS = 1_700_000_000_000;

/** A client that has just been started, and its server. Back-offs are as long as they can be. */
async function start(changes: Partial<FakeServer> = {}, before: Partial<Before> = {}) {
  const { hasAddress = true, memory = createLeaseMemory(), onLink = [], nowMs = BEGUN_MS } = before;
  const server: FakeServer = {
    isSilent: false,
    isRapid: false,
    status: 0,
    validSeconds: 3_600,
    confirms: 0,
    options: [],
    before: () => [],
    ...changes,
  };
  const seen: Dhcp6Message[] = [];
  const clock = createFakeClock(nowMs);
  const own: { address: string | undefined; told: () => void } = {
    address: hasAddress ? 'fe80::1' : undefined,
    told: () => {},
  };
  let open = 0;
  const client = new Dhcp6Client(
    { linkName: 'eth0', clientId: CLIENT, iaid: 7, skipHostnameRequest: false },
    {
      clock,
      log: silentLog,
      random: (length) => new Uint8Array(length).fill(0xff),
      linkLocal: () => own.address,
      onAddresses: (listener) => {
        own.told = listener;
        return () => {};
      },
      changed: () => {},
      memory,
      isOnLink: (address) => onLink.includes(address),
      transport: {
        open: async (_linkName, _address, onReply) => {
          open += 1;
          return {
            send: (payload) => {
              const message = decodeDhcp6(payload);
              seen.push(message);
              if (server.isSilent) return;
              const good = answerTo(message, server);
              for (const bytes of [...server.before(good), good]) queueMicrotask(() => onReply(bytes));
            },
            [Symbol.dispose]: () => {
              open -= 1;
            },
          };
        },
      },
    },
  );
  running.push(client);
  await clock.advance(1);
  let looked = 0;
  return {
    client,
    server,
    clock,
    memory,
    own,
    open: () => open,
    address: () => client.outputs.addresses[0]?.address,
    sent: () => {
      const types = seen.slice(looked).map(({ type }) => type);
      looked = seen.length;
      return types;
    },
    last: () => seen.at(-1)?.options ?? [],
  };
}

function answerTo({ type, xid, options }: Dhcp6Message, server: FakeServer): Uint8Array {
  const parties = [
    { code: DHCP6_OPTION.CLIENT_ID, value: CLIENT },
    { code: DHCP6_OPTION.SERVER_ID, value: SERVER },
  ];
  if (type === CONFIRM) {
    const confirms = { code: DHCP6_OPTION.STATUS_CODE, value: Uint8Array.of(0, server.confirms) };
    return encodeDhcp6({ type: REPLY, xid, options: [...parties, confirms] });
  }
  const rapid = server.isRapid ? options.filter(({ code }) => code === DHCP6_OPTION.RAPID_COMMIT) : [];
  const isFinal = type !== SOLICIT || rapid.length > 0;
  const leased = { address: 'fd77::5', preferredSeconds: server.validSeconds, validSeconds: server.validSeconds };
  const { status } = server;
  return encodeDhcp6({
    type: isFinal ? REPLY : ADVERTISE,
    xid,
    options: [
      ...parties,
      ...(isFinal ? rapid : []),
      dhcp6Association({ iaid: 7, renewSeconds: 0, rebindSeconds: 0, addresses: status === 0 ? [leased] : [], status }),
      ...server.options,
    ],
  });
}

const codes = (options: readonly Dhcp6Option[]): readonly number[] => options.map(({ code }) => code);

afterEach(async () => {
  for (const client of running.splice(0)) await client.stop();
});

describe('a client of DHCPv6', () => {
  it('solicits, requests what is advertised, and has it', async () => {
    const { sent, address, open, last, client } = await start();
    assert.deepEqual([sent(), address(), open(), client.problem], [[SOLICIT, REQUEST], 'fd77::5/128', 0, undefined]);
    assert.deepEqual(codes(last()), [1, 8, 6, 2, 3]);
  });

  it('is content with one exchange where the server is', async () => {
    const { sent, address } = await start({ isRapid: true });
    assert.deepEqual([sent(), address()], [[SOLICIT], 'fd77::5/128']);
  });

  it('waits for the address of the link, and says so after half a minute', async () => {
    const { sent, clock, own, client, address } = await start({}, { hasAddress: false });
    await clock.advance(30_000);
    assert.deepEqual([sent(), client.problem], [[], 'eth0 has no link-local IPv6 address']);
    own.address = 'fe80::1';
    own.told();
    await clock.advance(0);
    assert.deepEqual([address(), client.problem], ['fd77::5/128', undefined]);
  });

  it('renews at half of the lifetime with its server, then asks any, then begins anew', async () => {
    const { sent, clock, server, address, last } = await start();
    sent();
    await clock.advance(1_800_000);
    assert.deepEqual([sent(), codes(last())], [[RENEW], [1, 8, 6, 2, 3]]);
    server.isSilent = true;
    await clock.advance(1_861_000);
    const types = sent();
    assert.deepEqual(types, [RENEW, RENEW, RENEW, RENEW, REBIND, REBIND, REBIND, REBIND, SOLICIT]);
    assert.equal(address(), 'fd77::5/128');
    await clock.advance(1_800_000);
    assert.equal(address(), undefined);
    server.isSilent = false;
    await clock.advance(120_000);
    assert.equal(address(), 'fd77::5/128');
  });

  it('solicits at once when the server knows nothing of its address', async () => {
    const { sent, clock, server } = await start();
    sent();
    server.status = 3;
    await clock.advance(1_800_000);
    assert.deepEqual(sent().slice(0, 2), [RENEW, SOLICIT]);
  });

  it('says what it is refused, and asks less and less', async () => {
    const { sent, clock, client } = await start({ status: 2 });
    assert.equal(client.problem, 'a DHCPv6 server leases no address on eth0 (no addresses)');
    await clock.advance(600_000);
    assert.ok(sent().length <= 12);
  });

  const lifetimes: [name: string, seconds: number, renewedAfterMs: number][] = [
    ['of 2 seconds is renewed after 5 seconds', 2, 5_000],
    ['for ever is renewed after a week', 0xffffffff, 604_800_000],
  ];
  for (const [name, validSeconds, renewedAfterMs] of lifetimes) {
    it(`an address ${name}`, async () => {
      const { sent, clock, address } = await start({ validSeconds });
      sent();
      await clock.advance(renewedAfterMs - 100);
      assert.deepEqual(sent(), []);
      await clock.advance(200);
      assert.deepEqual([sent(), address()], [[RENEW], 'fd77::5/128']);
    });
  }

  it('takes servers, domains and the name that it is given', async () => {
    const dns = Buffer.from('fd770000000000000000000000000009', 'hex');
    const { client } = await start({
      options: [
        { code: DHCP6_OPTION.DNS, value: dns },
        { code: DHCP6_OPTION.DOMAIN_SEARCH, value: Buffer.from('\x03lab\x07example\x00', 'latin1') },
        { code: DHCP6_OPTION.NTP_SERVERS, value: Buffer.concat([Uint8Array.of(0, 1, 0, 16), dns]) },
        { code: DHCP6_OPTION.SNTP_SERVERS, value: dns },
        { code: DHCP6_OPTION.CLIENT_FQDN, value: Buffer.from('\x00\x04node\x03lab', 'latin1') },
      ],
    });
    const { resolvers, timeServers, hostname } = client.outputs;
    assert.deepEqual(resolvers, { dnsServers: ['fd77::9'], searchDomains: ['lab.example'], layer: 'operator' });
    assert.deepEqual(timeServers?.timeServers, ['fd77::9']);
    assert.deepEqual(hostname, { hostname: 'node', domainname: 'lab', layer: 'operator' });
  });

  it('takes servers that are only on its link as such, and leaves out what no host has', async () => {
    const addresses = ['fe800000000000000000000000000001', 'ff020000000000000000000000000001', '0'.repeat(32)];
    const value = Buffer.from([...addresses, 'fd770000000000000000000000000009', addresses[0]].join(''), 'hex');
    const { client } = await start({
      options: [
        { code: DHCP6_OPTION.DNS, value },
        { code: DHCP6_OPTION.SNTP_SERVERS, value },
      ],
    });
    const { resolvers, timeServers } = client.outputs;
    assert.deepEqual(resolvers?.dnsServers, ['fe80::1%eth0', 'fd77::9']);
    assert.deepEqual(timeServers?.timeServers, ['fe80::1%eth0', 'fd77::9']);
  });

  it('ends at once, also while nobody answers', async () => {
    const { client, clock, sent, open } = await start({ isSilent: true });
    await client.stop();
    sent();
    await clock.advance(600_000);
    assert.deepEqual([sent(), open()], [[], 0]);
  });
});

describe('a client of DHCPv6 that is started again', () => {
  /** An earlier run that was killed after it had its lease for so long; and what the host still has of it. */
  const killed = async (afterMs: number, onLink: readonly string[]): Promise<Partial<Before>> => {
    const { memory } = await start();
    return { memory: createLeaseMemory(memory.stored), onLink, nowMs: BEGUN_MS + afterMs };
  };
  const THERE = ['fd77::5/128'];

  it('has its address at once where the host still has it, and renews it with its server', async () => {
    const { address, sent } = await start({ isSilent: true }, await killed(600_000, THERE));
    assert.deepEqual([address(), sent()], ['fd77::5/128', [RENEW]]);
  });

  it('keeps it until the end of the lease while no server answers, and lets it go then', async () => {
    const { address, clock, client, memory } = await start({ isSilent: true }, await killed(600_000, THERE));
    await clock.advance(2_998_000);
    assert.deepEqual([address(), client.problem], ['fd77::5/128', 'no DHCPv6 server answers on eth0']);
    await clock.advance(2_000);
    assert.deepEqual([address(), memory.stored], [undefined, undefined]);
  });

  it('asks first whether it is right here where the host has it no more, and then renews it', async () => {
    const { address, sent } = await start({}, await killed(600_000, []));
    assert.deepEqual([sent(), address()], [[CONFIRM, RENEW], 'fd77::5/128']);
  });

  it('has it without an answer after two questions, and goes on', async () => {
    const { address, sent, clock } = await start({ isSilent: true }, await killed(600_000, []));
    await clock.advance(5_900);
    assert.deepEqual([address(), sent()], [undefined, [CONFIRM, CONFIRM]]);
    await clock.advance(200);
    assert.deepEqual([address(), sent()], ['fd77::5/128', [RENEW]]);
  });

  it('begins anew when a server says that it is wrong here', async () => {
    const { address, sent } = await start({ confirms: 4 }, await killed(600_000, []));
    assert.deepEqual([sent(), address()], [[CONFIRM, SOLICIT, REQUEST], 'fd77::5/128']);
  });

  it('knows nothing of a lease that has ended meanwhile', async () => {
    const { address, sent, memory } = await start({ isSilent: true }, await killed(3_600_000, THERE));
    assert.deepEqual([address(), sent(), memory.stored], [undefined, [SOLICIT], undefined]);
  });
});

describe('hostile answers to a client of DHCPv6', () => {
  const lie = (good: Uint8Array, change: Partial<Dhcp6Message>): Uint8Array =>
    encodeDhcp6({ ...decodeDhcp6(good), ...change });
  const without = (good: Uint8Array, code: number): Uint8Array =>
    lie(good, {
      options: [
        ...trap(good),
        ...decodeDhcp6(good).options.filter((option) => option.code !== code && option.code !== 3),
      ],
    });
  const trap = (good: Uint8Array): readonly Dhcp6Option[] => {
    const { options } = decodeDhcp6(good);
    const leased = [{ address: 'fd66::6', preferredSeconds: 60, validSeconds: 60 }];
    const association = dhcp6Association({ iaid: 7, renewSeconds: 0, rebindSeconds: 0, addresses: leased, status: 0 });
    return [association, ...options.filter(({ code }) => code > 100)];
  };
  const lies: [name: string, make: (good: Uint8Array) => Uint8Array][] = [
    ['of another exchange', (good) => lie(good, { xid: 1, options: [...trap(good), ...decodeDhcp6(good).options] })],
    ['for another client', (good) => without(good, DHCP6_OPTION.CLIENT_ID)],
    ['without a server', (good) => without(good, DHCP6_OPTION.SERVER_ID)],
    ['that are requests', (good) => lie(good, { type: REQUEST })],
    ['that are cut', (good) => good.subarray(0, 20)],
    ['that are empty', () => new Uint8Array()],
  ];
  for (const [name, make] of lies) {
    it(`${name} are ignored`, async () => {
      const { address } = await start({ before: (good) => [make(good)] });
      assert.equal(address(), 'fd77::5/128');
    });
  }

  /** What another server says, which has no address for anybody. */
  const refusal = (good: Uint8Array): Uint8Array =>
    lie(good, {
      options: [
        ...decodeDhcp6(good).options.filter(({ code }) => code === DHCP6_OPTION.CLIENT_ID),
        { code: DHCP6_OPTION.SERVER_ID, value: Uint8Array.of(6, 6, 6) },
        { code: DHCP6_OPTION.STATUS_CODE, value: Uint8Array.of(0, 2) },
      ],
    });

  it('a server that has no address keeps nobody from the one that has', async () => {
    const { address, sent, clock, client } = await start({ before: (good) => [refusal(good)] });
    assert.deepEqual([address(), sent(), client.problem], ['fd77::5/128', [SOLICIT, REQUEST], undefined]);
    await clock.advance(1_800_000);
    assert.deepEqual([address(), sent()], ['fd77::5/128', [RENEW]]);
  });

  it('of any bytes in any option are survived', async () => {
    const values = fc.array(fc.record({ code: fc.nat(60), value: fc.uint8Array({ maxLength: 60 }) }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(values, async (options) => {
        const { client } = await start({ options });
        await client.stop();
      }),
      { numRuns: 500, interruptAfterTimeLimit: 5_000 },
    );
  });
});
