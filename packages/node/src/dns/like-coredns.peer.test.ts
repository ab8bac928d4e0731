import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import { DNS_FLAG, type DnsMessage, type DnsQuestion, dnsRcodeName } from '@bloomery/wire';
import { askRaw, decoded, questionOf } from './testing/dns-client.ts';
import { type DnsRig, startDnsRig } from './testing/dns-rig.ts';
import { type AnswerParts, answerOf, type ScriptedServer, startScriptedServer } from './testing/scripted-server.ts';

const COREDNS = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery/peers/coredns');

/** What upstreams say in these tests, by the first label of the name. */
const ANSWERS: Readonly<Record<string, AnswerParts>> = {
  plain: { addresses: ['10.0.0.1', '10.0.0.2'], ttlSeconds: 300 },
  brief: { addresses: ['10.0.0.1'], ttlSeconds: 1 },
  never: { addresses: ['10.0.0.1'], ttlSeconds: 0 },
  long: { addresses: ['10.0.0.1'], ttlSeconds: 86_400 },
  authentic: { addresses: ['10.0.0.1'], flags: DNS_FLAG.AD },
  authority: { addresses: ['10.0.0.1'], flags: DNS_FLAG.AA, soaSeconds: 600 },
  absent: { rcode: 3, soaSeconds: 300 },
  // Below the time to live of the SOA record itself CoreDNS takes the longer one, RFC 2308 the shorter one, as we do.
  empty: { soaSeconds: 300 },
  alone: { rcode: 3 },
};

interface Way {
  readonly title: string;
  readonly question: Partial<DnsQuestion>;
}
const WAYS: readonly Way[] = [
  { title: 'plain', question: {} },
  { title: 'EDNS', question: { edns: { udpSizeBytes: 1232 } } },
  { title: 'EDNS, more room', question: { edns: { udpSizeBytes: 4096 } } },
  { title: 'DO', question: { edns: { dnssecOk: true } } },
  { title: 'AD', question: { flags: DNS_FLAG.AD } },
  { title: 'CD', question: { flags: DNS_FLAG.CD } },
];

/** What of an answer must be the same. The OPT record of the other side carries its own size. */
function essenceOf(message: DnsMessage, packet: Buffer): unknown {
  const { authoritative, truncated, authenticData, answers, authorities, edns } = message;
  return {
    rcode: dnsRcodeName(message.rcode),
    question: message.question,
    flags: packet.readUInt16BE(2).toString(2).padStart(16, '0'),
    aa: authoritative,
    tc: truncated,
    ad: authenticData,
    answers: answers.map(({ name, type, ttlSeconds, text }) => `${name} ${ttlSeconds} ${type} ${text}`).sort(),
    authorities: authorities.map(({ ttlSeconds, text }) => `${ttlSeconds} ${text}`),
    edns: edns && { version: edns.version, dnssecOk: edns.dnssecOk },
  };
}

describe('answers are those of CoreDNS', {
  skip: existsSync(COREDNS) ? false : `${COREDNS} is not there; run make setup`,
}, () => {
  const dir = mkdtempSync(join(tmpdir(), 'blm-dns-'));
  let upstream: ScriptedServer;
  let rig: DnsRig;
  let coredns: ChildProcess;
  let corednsPort = 0;
  const asked = async (port: number, question: Partial<DnsQuestion>): Promise<unknown> => {
    const packet = await askRaw(port, questionOf(question));
    return essenceOf(decoded(packet), packet);
  };

  before(async () => {
    const script = (seen: Parameters<ScriptedServer['script']>[0]): Buffer =>
      answerOf(seen, ANSWERS[seen.query.name.split('.')[0]?.toLowerCase() ?? ''] ?? ANSWERS['plain']);
    upstream = await startScriptedServer(script);
    rig = await startDnsRig([script], { datagrams: 'native' });
    {
      await using free = await startScriptedServer(() => undefined);
      corednsPort = free.port;
    }
    const file = join(dir, 'Corefile');
    // The cache as Talos sets it up.
    const cache = 'cache {\n    success 10000 3600 5\n    denial 10000 10 5\n  }';
    writeFileSync(
      file,
      `.:${corednsPort} {\n  bind 127.0.0.1\n  ${cache}\n  forward . 127.0.0.1:${upstream.port}\n}\n`,
    );
    coredns = spawn(COREDNS, ['-conf', file, '-quiet'], { stdio: 'ignore' });
    await until('CoreDNS answers', async () => {
      const answer = await Promise.race([
        asked(corednsPort, { name: 'ready.test' }).catch(() => undefined),
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 300)),
      ]);
      return answer !== undefined;
    });
  });
  after(async () => {
    coredns.kill('SIGTERM');
    await rig[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  for (const label of Object.keys(ANSWERS)) {
    for (const [i, { title, question }] of WAYS.entries()) {
      it(`${label}, ${title}: fresh and from the cache`, async () => {
        const name = `${label}.w${i}.Test`;
        for (const round of ['fresh', 'cached']) {
          const ours = await asked(rig.port, { name, ...question });
          const theirs = await asked(corednsPort, { name, ...question });
          assert.deepEqual(ours, theirs, round);
        }
      });
    }
  }
});
