import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { until } from '@bloomery/ports';
import { type DnsRig, startDnsRig, tcpPortOf } from './testing/dns-rig.ts';
import { startScriptedServer } from './testing/scripted-server.ts';

const run = promisify(execFile);

function whyNot(): string | false {
  try {
    for (const program of ['dig', 'unbound', 'dnsmasq']) execFileSync('which', [program], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs dig, unbound and dnsmasq';
  }
}

/** A port that was free for UDP and TCP a moment ago. */
async function freePort(): Promise<number> {
  await using server = await startScriptedServer(() => undefined);
  return server.port;
}

const TEXTS = Array.from({ length: 20 }, (_, i) => `local-data: "big.test. 60 IN TXT '${i}-${'x'.repeat(100)}'"`);
const ZONE = [
  'local-zone: "test." static',
  'local-data: "test. 60 IN SOA ns.test. admin.test. 1 3600 600 86400 30"',
  'local-data: "host.test. 60 IN A 192.0.2.7"',
  'local-data: "host.test. 60 IN AAAA 2001:db8::7"',
  'local-data: "brief.test. 1 IN A 192.0.2.8"',
  'local-data: "alias.test. 60 IN CNAME host.test."',
  'local-data: "mail.test. 60 IN MX 10 host.test."',
  'local-data: "_s._tcp.test. 60 IN SRV 1 2 53 host.test."',
  'local-data: "7.2.0.192.in-addr.arpa. 60 IN PTR host.test."',
  ...TEXTS,
];

/** unbound with the zone `test`, and dnsmasq that asks it. */
class Upstreams {
  readonly dir = mkdtempSync(join(tmpdir(), 'blm-dns-'));
  readonly #children: ChildProcess[] = [];

  async unbound(): Promise<number> {
    const port = await freePort();
    const own = ['do-daemonize: no', 'username: ""', 'chroot: ""', 'pidfile: ""', 'use-syslog: no', 'ede: yes'];
    const lines = ['interface: 127.0.0.1', `port: ${port}`, ...own, ...ZONE];
    const file = join(this.dir, 'unbound.conf');
    writeFileSync(file, `server:\n${lines.map((line) => `  ${line}\n`).join('')}`);
    await this.#start(port, 'unbound', '-c', file);
    return port;
  }

  async dnsmasq(upstream: number): Promise<number> {
    const port = await freePort();
    const args = [
      '-k',
      '-p',
      `${port}`,
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      '--no-resolv',
      '--no-hosts',
      '-x',
      '',
    ];
    await this.#start(port, 'dnsmasq', ...args, `--server=127.0.0.1#${upstream}`, '-u', 'root');
    return port;
  }

  async end(): Promise<void> {
    for (const child of this.#children) child.kill('SIGTERM');
    await until('they are gone', () =>
      this.#children.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null),
    );
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #start(port: number, program: string, ...args: readonly string[]): Promise<void> {
    this.#children.push(spawn(program, args, { stdio: 'ignore' }));
    await until(`${program} answers`, async () =>
      (await dig(port, 'host.test', '+short', '+time=1')).includes('192.0.2.7'),
    );
  }
}

async function dig(port: number, ...args: readonly string[]): Promise<string> {
  try {
    return (await run('dig', ['@127.0.0.1', '-p', `${port}`, '+tries=1', ...args])).stdout;
  } catch {
    return 'no answer';
  }
}

/** The lines of the answer, without the times to live. */
const answersOf = (text: string): string[] =>
  (text.split(';; ANSWER SECTION:\n')[1]?.split('\n\n')[0] ?? '')
    .split('\n')
    .map((line) => line.split(/\s+/).toSpliced(1, 1).join(' '))
    .filter((line) => line !== '')
    .sort();
const headOf = (text: string): string =>
  `${/status: (\w+)/.exec(text)?.[1]}; ${/flags: ([a-z ]+);/.exec(text)?.[1]}; ${/ANSWER: \d+, AUTHORITY: \d+/.exec(text)?.[0]}`;

for (const datagrams of ['native', 'portable'] as const) {
  describe(`real clients and servers, ${datagrams}`, { skip: whyNot() }, () => {
    const upstreams = new Upstreams();
    let unbound = 0;
    let rig: DnsRig;
    before(async () => {
      unbound = await upstreams.unbound();
      rig = await startDnsRig([], {
        datagrams,
        settings: { upstreams: [{ address: '127.0.0.1', port: unbound, protocol: 'Do53' }] },
      });
    });
    after(async () => {
      await rig[Symbol.asyncDispose]();
      await upstreams.end();
    });

    const questions: (readonly string[])[] = [
      ['host.test'],
      ['host.test', 'AAAA'],
      ['alias.test'],
      ['mail.test', 'MX'],
      ['_s._tcp.test', 'SRV'],
      ['test', 'SOA'],
      ['big.test', 'TXT'],
      ['-x', '192.0.2.7'],
      ['missing.test'],
      ['host.test', 'TYPE65280'],
      ['version.bind', 'CH', 'TXT'],
    ];
    for (const question of questions) {
      it(`dig ${question.join(' ')}: as unbound says it, fresh and from the cache, by all ways`, async () => {
        const wanted = await dig(unbound, ...question, '+tcp');
        for (const way of [[], [], ['+noedns'], ['+tcp'], ['+bufsize=4096'], ['+dnssec'], ['+cd'], ['+nocookie']]) {
          const got = await dig(
            way[0] === '+tcp' ? tcpPortOf(rig) : rig.port,
            ...question,
            ...way,
            '+ignore',
            '+nosplit',
          );
          const isCut = / tc /.test(headOf(got));
          assert.match(headOf(got), new RegExp(`^${/status: (\w+)/.exec(wanted)?.[1]};`), got);
          if (isCut)
            assert.ok(Number(/MSG SIZE\s+rcvd: (\d+)/.exec(got)?.[1]) <= (way[0] === '+noedns' ? 512 : 1232), got);
          else assert.deepEqual(answersOf(got), answersOf(wanted), got);
        }
      });
    }
    it('dig goes on over TCP when an answer is cut', async () => {
      await using both = await startDnsRig([], {
        datagrams,
        settings: {
          listen: [{ host: '127.0.0.1', port: await freePort() }],
          upstreams: [{ address: '127.0.0.1', port: unbound, protocol: 'Do53' }],
        },
      });
      const text = await dig(both.port, 'big.test', 'TXT');
      assert.match(text, /Truncated, retrying in TCP mode/);
      assert.equal(answersOf(text).length, 20);
    });
    it('times to live: a second is five, absence is ten, and they go down', async () => {
      const ttlOf = async (...args: readonly string[]): Promise<number> =>
        Number(/^\S+\s+(\d+)\s+IN\s+(?:A|SOA)/m.exec(await dig(rig.port, ...args))?.[1]);
      assert.equal(await ttlOf('brief.test'), 5);
      assert.equal(await ttlOf('absent.test'), 10);
      await until('it went down', async () => (await ttlOf('brief.test')) < 5);
      await until('it was asked for again', async () => (await ttlOf('brief.test')) === 5);
    });
    it('the case of the question is kept', async () => {
      await dig(rig.port, 'host.test');
      assert.match(await dig(rig.port, 'HoSt.TeSt'), /^HoSt\.TeSt\.\s+\d+\s+IN\s+A\s+192\.0\.2\.7$/m);
    });
    it('what is no question is refused', async () => {
      assert.match(await dig(rig.port, 'host.test', '+opcode=5'), /status: NOTIMP/);
      assert.match(await dig(rig.port, 'host.test', '+opcode=7'), /status: NOTIMP/);
      assert.match(await dig(rig.port, 'host.test', '+edns=1', '+noednsnegotiation'), /status: BADVERS/);
      assert.match(await dig(rig.port, '+header-only'), /status: FORMERR/);
    });
    it('dnsmasq is as good an upstream', async () => {
      const dnsmasq = await upstreams.dnsmasq(unbound);
      await using other = await startDnsRig([], {
        datagrams,
        settings: { upstreams: [{ address: '127.0.0.1', port: dnsmasq, protocol: 'Do53' }] },
      });
      assert.deepEqual(answersOf(await dig(other.port, 'alias.test')), answersOf(await dig(unbound, 'alias.test')));
      assert.equal(answersOf(await dig(tcpPortOf(other), 'big.test', 'TXT', '+tcp')).length, 20);
      assert.equal(other.dns.status.upstreams[0]?.healthy, true);
    });
    it('a dead first server costs two seconds at most once, then half a second at most', async () => {
      await using dead = await startScriptedServer(() => undefined);
      dead.silent = true;
      await using other = await startDnsRig([], {
        datagrams,
        settings: { upstreams: [dead.port, unbound].map((port) => ({ address: '127.0.0.1', port, protocol: 'Do53' })) },
      });
      const tookMs = async (name: string): Promise<number> =>
        Number(/Query time: (\d+)/.exec(await dig(other.port, name))?.[1]);
      assert.ok((await tookMs('host.test')) <= 2_000);
      for (const name of ['brief.test', 'alias.test', 'absent.test', 'also-absent.test'])
        assert.ok((await tookMs(name)) <= 500, name);
      await until('it is known', () => other.dns.status.upstreams[0]?.healthy === false);
    });
  });
}
