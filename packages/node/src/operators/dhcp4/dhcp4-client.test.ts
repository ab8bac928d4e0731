import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, silentLog } from '@bloomery/ports';
import { DHCP_OPTION, decodeDhcp, dhcpAddresses, dhcpText, encodeDhcp } from '@bloomery/wire';
import fc from 'fast-check';
import { createFakeDhcp4, type FakeDhcp4 } from '../testing/fake-dhcp4.ts';
import { createLeaseMemory, type TestLeaseMemory } from '../testing/lease-memory.ts';
import { Dhcp4Client, type Dhcp4ClientOptions } from './dhcp4-client.ts';
import { ACK, DISCOVER, NAK, REQUEST } from './dhcp4-messages.ts';

const LINK = {
  name: 'eth0',
  index: 2,
  type: 1,
  hardwareAddr: '52:54:00:00:00:01',
  broadcastAddr: 'ff:ff:ff:ff:ff:ff',
};

interface Rig {
  readonly client: Dhcp4Client;
  readonly server: FakeDhcp4;
  readonly clock: FakeClock;
  readonly memory: TestLeaseMemory;
  /** Times it said that something differs. */
  readonly changes: () => number;
  readonly address: () => string | undefined;
  /** Types of messages since the last look. */
  readonly sent: () => readonly number[];
}

const running: Dhcp4Client[] = [];

/** What an earlier run has left. */
interface Before {
  readonly memory: TestLeaseMemory;
  readonly onLink: readonly string[];
  readonly nowMs: number;
}

const BEGUN_MS = 1_700_000_000_000;

/** A client that has just been started, with a server. Random bytes are all 0xff: back-offs are as long as they can be. */
async function start(
  options: Partial<Dhcp4ClientOptions> = {},
  prepare: (server: FakeDhcp4) => void = () => {},
  before: Partial<Before> = {},
): Promise<Rig> {
  const server = createFakeDhcp4();
  prepare(server);
  const { memory = createLeaseMemory(), onLink = [], nowMs = BEGUN_MS } = before;
  const clock = createFakeClock(nowMs);
  let changes = 0;
  const client = new Dhcp4Client(
    { link: LINK, routeMetric: 1024, skipHostnameRequest: false, ...options },
    {
      clock,
      log: silentLog,
      random: (length) => new Uint8Array(length).fill(0xff),
      transport: server,
      memory,
      isOnLink: (address) => onLink.includes(address),
      changed: () => {
        changes += 1;
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
    changes: () => changes,
    address: () => client.outputs.addresses[0]?.address,
    sent: () => {
      const types = server.seen.slice(looked).map(({ type }) => type);
      looked = server.seen.length;
      return types;
    },
  };
}

afterEach(async () => {
  for (const client of running.splice(0)) await client.stop();
});

describe('a DHCPv4 client', () => {
  it('discovers, requests what is offered, and has it', async () => {
    const { address, sent, changes, server, client } = await start();
    assert.deepEqual(sent(), [DISCOVER, REQUEST]);
    assert.equal(address(), '10.0.0.50/24');
    assert.equal(changes(), 1);
    assert.deepEqual(
      server.seen.map(({ requested, how, ciaddr }) => [requested, how, ciaddr]),
      [
        [undefined, 'broadcast', '0.0.0.0'],
        ['10.0.0.50', 'broadcast', '0.0.0.0'],
      ],
    );
    assert.deepEqual(server.seen[0]?.wanted, [1, 121, 3, 6, 119, 42, 26, 12, 15]);
    assert.deepEqual([server.open, client.problem], [0, undefined]);
  });

  it('renews with its server at half of the lease, and says nothing when all is the same', async () => {
    const { clock, sent, server, address } = await start();
    sent();
    await clock.advance(1_799_000);
    assert.deepEqual(sent(), []);
    await clock.advance(1_000);
    assert.deepEqual(sent(), [REQUEST]);
    assert.deepEqual([server.seen.at(-1)?.how, server.seen.at(-1)?.ciaddr], ['unicast', '10.0.0.50']);
    assert.equal(server.seen.at(-1)?.packet.options.has(DHCP_OPTION.SERVER_ID), false);
    await clock.advance(1_800_000);
    assert.deepEqual([sent(), address()], [[REQUEST], '10.0.0.50/24']);
  });

  it('renews by broadcast when the host has not got the address', async () => {
    const { clock, server } = await start({}, (fake) => {
      fake.canUnicast = false;
    });
    await clock.advance(1_800_000);
    assert.deepEqual([server.seen.at(-1)?.how, server.seen.at(-1)?.ciaddr], ['broadcast', '10.0.0.50']);
  });

  it('discovers again when its server does not answer, wishing for its address, and keeps it meanwhile', async () => {
    const { clock, server, sent, address } = await start();
    sent();
    server.mood = 'silent';
    await clock.advance(1_800_000 + 4_000 + 8_000 + 16_000);
    assert.deepEqual(sent(), [REQUEST, REQUEST, REQUEST, DISCOVER]);
    assert.deepEqual([server.seen.at(-1)?.requested, server.seen.at(-1)?.how], ['10.0.0.50', 'broadcast']);
    assert.equal(address(), '10.0.0.50/24');
    server.mood = 'kind';
    await clock.advance(4_000);
    assert.deepEqual(sent(), [DISCOVER, REQUEST]);
    assert.equal(address(), '10.0.0.50/24');
  });

  it('lets everything go when the lease has ended, and says so', async () => {
    const { clock, server, address, changes, client } = await start();
    server.mood = 'silent';
    await clock.advance(3_599_000);
    assert.equal(address(), '10.0.0.50/24');
    const before = changes();
    await clock.advance(1_000);
    assert.deepEqual([address(), changes() - before], [undefined, 1]);
    assert.equal(client.problem, 'no DHCP server answers on eth0');
    server.mood = 'kind';
    server.address = '10.0.0.51';
    await clock.advance(64_000);
    assert.deepEqual([address(), client.problem], ['10.0.0.51/24', undefined]);
  });

  it('lets its address go at once when a renewal is refused, and begins anew', async () => {
    const { clock, server, address, sent } = await start();
    sent();
    server.mood = 'refuse';
    await clock.advance(1_800_000);
    assert.deepEqual([sent(), address()], [[REQUEST], undefined]);
    server.mood = 'kind';
    server.address = '10.0.0.60';
    await clock.advance(1_000);
    assert.deepEqual([sent(), address()], [[DISCOVER, REQUEST], '10.0.0.60/24']);
  });

  it('slows down when it is refused again and again', async () => {
    const { clock, sent } = await start({}, (fake) => {
      fake.mood = 'refuse';
    });
    await clock.advance(600_000);
    assert.ok(sent().length < 2 * 20, 'at most twenty attempts in ten minutes');
  });

  it('sends again after 4, 8, 16, 32 and then every 64 seconds', async () => {
    const { clock, server } = await start({}, (fake) => {
      fake.mood = 'silent';
    });
    await clock.advance(300_000);
    assert.deepEqual(
      server.seen.map(({ packet }) => packet.secs),
      [0, 4, 12, 28, 60, 124, 188, 252],
    );
    assert.equal(new Set(server.seen.map(({ packet }) => packet.xid)).size, 1);
  });

  const leases: [name: string, seconds: number, renewedAfterMs: number][] = [
    ['of 2 seconds is renewed after 5 seconds', 2, 5_000],
    ['without a time is of 30 minutes', 0, 900_000],
    ['of a month is renewed after a week', 30 * 86_400, 604_800_000],
    ['for ever is renewed after a week', 0xffffffff, 604_800_000],
  ];
  for (const [name, seconds, renewedAfterMs] of leases) {
    it(`a lease ${name}`, async () => {
      const { clock, sent, address } = await start({}, (fake) => {
        fake.leaseSeconds = seconds;
      });
      sent();
      await clock.advance(renewedAfterMs - 100);
      assert.deepEqual(sent(), []);
      await clock.advance(200);
      assert.deepEqual([sent(), address()], [[REQUEST], '10.0.0.50/24']);
    });
  }

  it('sends its client id, if it has one', async () => {
    const { server } = await start({ clientId: Uint8Array.of(1, 2, 3) });
    assert.deepEqual([server.seen[0]?.clientId, server.seen[1]?.clientId], ['010203', '010203']);
    assert.equal((await start()).server.seen[0]?.clientId, '');
  });

  it('is answered by broadcast on links whose address does not fit', async () => {
    const long = Array.from({ length: 20 }, () => '80').join(':');
    const { server, address } = await start({
      link: { ...LINK, type: 32, hardwareAddr: long },
      clientId: Uint8Array.of(32, 1),
    });
    const [{ packet } = { packet: undefined }] = server.seen;
    assert.deepEqual([packet?.htype, packet?.flags, packet?.chaddr.length, address()], [32, 0x8000, 0, '10.0.0.50/24']);
  });

  it('ends at once, with what it holds, also while nobody answers', async () => {
    const { client, server, clock, sent } = await start({}, (fake) => {
      fake.mood = 'silent';
    });
    await client.stop();
    sent();
    await clock.advance(600_000);
    assert.deepEqual([sent(), server.open], [[], 0]);
  });

  it('says what the host refuses, and goes on', async () => {
    const { client, server, clock, address } = await start({}, (fake) => {
      const { broadcast } = fake;
      fake.broadcast = () => Promise.reject(new Error('Operation not permitted (EPERM)'));
      setImmediate(() => {
        fake.broadcast = broadcast;
      });
    });
    assert.equal(client.problem, 'Operation not permitted (EPERM)');
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1_000);
    assert.deepEqual([address(), client.problem, server.open], ['10.0.0.50/24', undefined, 0]);
  });
});

describe('a DHCPv4 client that is started again', () => {
  /** An earlier run that was killed after it had its lease for so long; and what the host still has of it. */
  const killed = async (afterMs: number, onLink: readonly string[]): Promise<Partial<Before>> => {
    const { memory } = await start({}, (fake) => {
      fake.options = new Map([[DHCP_OPTION.HOST_NAME, dhcpText('given')]]);
    });
    return { memory: createLeaseMemory(memory.stored), onLink, nowMs: BEGUN_MS + afterMs };
  };
  const THERE = ['10.0.0.50/24'];
  const silent = (fake: FakeDhcp4): void => {
    fake.mood = 'silent';
  };

  it('has its address at once where the host still has it, and renews it with its server', async () => {
    const { address, sent, server, client } = await start({}, silent, await killed(600_000, THERE));
    assert.deepEqual([address(), sent()], ['10.0.0.50/24', [REQUEST]]);
    assert.deepEqual([server.seen[0]?.how, server.seen[0]?.ciaddr], ['unicast', '10.0.0.50']);
    assert.equal(client.outputs.hostname?.hostname, 'given');
  });

  it('keeps it until the end of the lease while no server answers, and lets it go then', async () => {
    const { address, clock, client, memory } = await start({}, silent, await killed(600_000, THERE));
    await clock.advance(2_998_000);
    assert.deepEqual([address(), client.problem], ['10.0.0.50/24', 'no DHCP server answers on eth0']);
    await clock.advance(2_000);
    assert.deepEqual([address(), memory.stored], [undefined, undefined]);
  });

  it('asks first whether it is right here where the host has it no more', async () => {
    const { address, sent, server } = await start({}, undefined, await killed(600_000, []));
    assert.deepEqual([sent(), address()], [[REQUEST], '10.0.0.50/24']);
    const [{ how, requested, ciaddr, packet } = assert.fail('nothing sent')] = server.seen;
    assert.deepEqual([how, requested, ciaddr], ['broadcast', '10.0.0.50', '0.0.0.0']);
    assert.equal(packet.options.has(DHCP_OPTION.SERVER_ID), false);
  });

  it('has it without an answer after two questions, and goes on looking for a server', async () => {
    const { address, sent, clock, server } = await start({}, silent, await killed(600_000, []));
    await clock.advance(11_900);
    assert.deepEqual([address(), sent()], [undefined, [REQUEST, REQUEST]]);
    await clock.advance(200);
    assert.deepEqual([address(), sent()], ['10.0.0.50/24', [DISCOVER]]);
    assert.equal(server.seen.at(-1)?.requested, '10.0.0.50');
    await clock.advance(3_000_000);
    assert.equal(address(), undefined);
  });

  it('begins anew when a server says that it is wrong here', async () => {
    const refuse = (fake: FakeDhcp4): void => {
      fake.mood = 'refuse';
    };
    const { address, sent, clock, server, memory } = await start({}, refuse, await killed(600_000, []));
    assert.deepEqual([address(), sent(), memory.stored], [undefined, [REQUEST], undefined]);
    server.mood = 'kind';
    server.address = '10.0.0.60';
    await clock.advance(1_000);
    assert.deepEqual([address(), sent()], ['10.0.0.60/24', [DISCOVER, REQUEST]]);
  });

  const void_: [name: string, afterMs: number][] = [
    ['that has ended meanwhile', 3_600_000],
    ['of a clock that went backwards', -1],
  ];
  for (const [name, afterMs] of void_) {
    it(`knows nothing of a lease ${name}`, async () => {
      const { address, sent, memory } = await start({}, silent, await killed(afterMs, THERE));
      assert.deepEqual([address(), sent(), memory.stored], [undefined, [DISCOVER], undefined]);
    });
  }

  it('knows nothing of what cannot be read', async () => {
    const memory = createLeaseMemory({ endsMs: BEGUN_MS + 1_000, message: Uint8Array.of(1, 2, 3) });
    const { sent } = await start({}, silent, { memory });
    assert.deepEqual([sent(), memory.stored], [[DISCOVER], undefined]);
  });

  it('has forgotten a lease that was refused or has ended', async () => {
    const { memory, server, clock } = await start();
    assert.equal(memory.stored?.endsMs, BEGUN_MS + 3_600_000);
    server.mood = 'refuse';
    await clock.advance(1_800_000);
    assert.equal(memory.stored, undefined);
  });

  it('still has what the server said when its answer filled every field', async () => {
    const long = { sname: 's'.repeat(63), file: 'f'.repeat(127) };
    const full = (fake: FakeDhcp4): void => {
      fake.before = (good) => [encodeDhcp({ ...decodeDhcp(good), ...long }).fill(0x73, 44, 236)];
      fake.options = new Map([[DHCP_OPTION.DOMAIN_SEARCH, new Uint8Array(700)]]);
    };
    const { memory } = await start({}, full);
    const { address } = await start({}, silent, { memory, onLink: THERE });
    assert.equal(address(), '10.0.0.50/24');
  });
});

describe('the host name and DHCPv4', () => {
  const given = (name: string): ReadonlyMap<number, Uint8Array> => new Map([[DHCP_OPTION.HOST_NAME, dhcpText(name)]]);

  it('the name of the server is taken, and not told back to it', async () => {
    const { client, clock, sent } = await start({}, (fake) => {
      fake.options = given('from-dhcp.lab.example');
    });
    assert.deepEqual(client.outputs.hostname, { hostname: 'from-dhcp', domainname: 'lab.example', layer: 'operator' });
    sent();
    client.hostnameIs({ hostname: 'from-dhcp', domainname: 'lab.example' });
    await clock.advance(10_000);
    assert.deepEqual(sent(), []);
  });

  it('another name is told in a new lease that asks for none, a second after the last change', async () => {
    const { client, clock, sent, server } = await start();
    sent();
    client.hostnameIs({ hostname: 'a', domainname: '' });
    await clock.advance(900);
    client.hostnameIs({ hostname: 'node-7', domainname: 'lab' });
    await clock.advance(999);
    assert.deepEqual(sent(), []);
    await clock.advance(1);
    assert.deepEqual(sent(), [DISCOVER, REQUEST]);
    const { hostname, requested, wanted, packet } = server.seen.at(-1) ?? assert.fail('nothing sent');
    assert.deepEqual([hostname, requested, wanted.includes(12)], ['node-7', '10.0.0.50', false]);
    assert.equal(Buffer.from(packet.options.get(15) ?? []).toString(), 'lab');
    await clock.advance(1_800_000);
    assert.deepEqual([sent(), server.seen.at(-1)?.hostname], [[REQUEST], 'node-7']);
  });

  it('a name that is gone is taken back from the server', async () => {
    const { client, clock, server } = await start();
    client.hostnameIs({ hostname: 'node-7', domainname: '' });
    await clock.advance(1_000);
    client.hostnameIs({ hostname: '', domainname: '' });
    await clock.advance(1_000);
    assert.deepEqual([server.seen.at(-1)?.type, server.seen.at(-1)?.hostname], [REQUEST, '']);
    assert.equal(server.seen.length, 6);
  });

  it('the first lease tells no name, also when there is one', async () => {
    const { client, clock, server } = await start({}, (fake) => {
      fake.mood = 'silent';
    });
    client.hostnameIs({ hostname: 'node-7', domainname: '' });
    server.mood = 'kind';
    await clock.advance(4_000);
    assert.deepEqual(
      server.seen.map(({ hostname }) => hostname),
      ['', '', ''],
    );
    await clock.advance(1_000);
    assert.equal(server.seen.at(-1)?.hostname, 'node-7');
  });

  it('no name is asked for where it is not wanted, and none is taken', async () => {
    const { client, server } = await start({ skipHostnameRequest: true }, (fake) => {
      fake.options = given('from-dhcp');
    });
    assert.equal(server.seen[0]?.wanted.includes(12), false);
    assert.equal(client.outputs.hostname, undefined);
  });

  it('a name that is none is not taken', async () => {
    const { client } = await start({}, (fake) => {
      fake.options = given('a\nnameserver 6.6.6.6');
    });
    assert.equal(client.outputs.hostname, undefined);
  });
});

describe('hostile answers to a DHCPv4 client', () => {
  const lie = (good: Uint8Array, change: (packet: ReturnType<typeof decodeDhcp>) => object): Uint8Array =>
    encodeDhcp({ ...decodeDhcp(good), ...change(decodeDhcp(good)) });

  const lies: [name: string, make: (good: Uint8Array) => Uint8Array][] = [
    ['of another exchange', (good) => lie(good, ({ xid }) => ({ xid: xid ^ 1, yiaddr: '6.6.6.6' }))],
    ['for another link', (good) => lie(good, () => ({ chaddr: Uint8Array.of(1, 2, 3, 4, 5, 6), yiaddr: '6.6.6.6' }))],
    ['that are requests', (good) => lie(good, () => ({ op: 1, yiaddr: '6.6.6.6' }))],
    ['with the loopback as address', (good) => lie(good, () => ({ yiaddr: '127.0.0.1' }))],
    ['with a multicast address', (good) => lie(good, () => ({ yiaddr: '239.0.0.1' }))],
    ['with no address', (good) => lie(good, () => ({ yiaddr: '0.0.0.0' }))],
    ['without a server', (good) => lie(good, ({ options }) => ({ yiaddr: '6.6.6.6', options: without(options, 54) }))],
    ['without a type', (good) => lie(good, ({ options }) => ({ yiaddr: '6.6.6.6', options: without(options, 53) }))],
    ['that are cut', (good) => good.subarray(0, 250)],
    ['that are no DHCP', () => Buffer.from('hello')],
    ['that are empty', () => new Uint8Array()],
  ];
  const without = (options: ReadonlyMap<number, Uint8Array>, code: number): ReadonlyMap<number, Uint8Array> =>
    new Map([...options].filter(([other]) => other !== code));

  for (const [name, make] of lies) {
    it(`${name} are ignored`, async () => {
      const { address } = await start({}, (fake) => {
        fake.before = (good) => [make(good)];
      });
      assert.equal(address(), '10.0.0.50/24');
    });
  }

  it('an acknowledgement of another server than the one that was chosen is ignored', async () => {
    const { address } = await start({}, (fake) => {
      fake.before = (good, request) =>
        request.options.get(53)?.[0] === REQUEST
          ? [
              lie(good, ({ options }) => ({
                yiaddr: '6.6.6.6',
                options: new Map([...options, [54, dhcpAddresses(['6.6.6.1'])]]),
              })),
            ]
          : [];
    });
    assert.equal(address(), '10.0.0.50/24');
  });

  it('a refusal of another server than the one that was asked is ignored', async () => {
    const { address, clock } = await start({}, (fake) => {
      fake.before = (good, request) =>
        request.options.get(53)?.[0] === REQUEST
          ? [
              lie(good, ({ options }) => ({
                yiaddr: '0.0.0.0',
                options: new Map([...options, [53, Uint8Array.of(NAK)], [54, dhcpAddresses(['6.6.6.1'])]]),
              })),
            ]
          : [];
    });
    assert.equal(address(), '10.0.0.50/24');
    await clock.advance(1_800_000);
    assert.equal(address(), '10.0.0.50/24');
  });

  it('of any bytes in any option are survived', async () => {
    const values = fc.array(fc.tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ maxLength: 60 })), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(values, async (options) => {
        const { client } = await start({}, (fake) => {
          fake.options = new Map(options.filter(([code]) => code !== DHCP_OPTION.OVERLOAD));
        });
        for (const { address } of client.outputs.addresses) assert.match(address, /^10\.0\.0\.50\/\d+$/);
        await client.stop();
      }),
      { numRuns: 500, interruptAfterTimeLimit: 5_000 },
    );
  });

  it('a flood of acknowledgements changes nothing after the first', async () => {
    const { changes, server, clock } = await start({}, (fake) => {
      fake.before = (good, request) =>
        request.options.get(53)?.[0] === REQUEST ? Array.from({ length: 100 }, () => good) : [];
    });
    await clock.advance(1_000);
    assert.deepEqual([changes(), server.seen.length], [1, 2]);
    assert.equal(ACK, 5);
  });
});
