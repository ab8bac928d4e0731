import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { hostPort, type Listen } from '@bloomery/ports';
import {
  DNS_RCODE,
  DNS_TRACE_OPTION,
  type DnsRecord,
  type DnsTrace,
  decodeDnsTrace,
  dnsRcodeName,
  dnsTypeName,
  parseDnsType,
} from '@bloomery/wire';
import type { CliDeps } from '../cli-deps.ts';
import { askNameServer, isAnswered, type NameAnswer } from '../dns/ask-name-server.ts';
import { EXIT, usageError } from '../exit-code.ts';
import { dataText, type FormatOptions, formatOf } from '../output/format.ts';
import { tableText } from '../output/table.ts';

/** Options of `bloomery dns query`. */
export interface DnsQueryOptions extends FormatOptions {
  readonly type?: string;
  readonly server?: string;
  readonly tcp?: boolean;
  readonly trace?: boolean;
}

/** Where host DNS listens. */
const HOST_DNS = '127.0.0.53';
const DNS_PORT = 53;

/**
 * `bloomery dns query`: ask host DNS, or any name server, and say who answered.
 *
 * @returns the exit code: 3 when there is no such name or record, 1 when the server could not tell.
 * @throws BloomeryError BLM_CLI_USAGE, BLM_DNS_NO_ANSWER
 */
export async function dnsQuery(deps: CliDeps, name: string, options: DnsQueryOptions): Promise<number> {
  const format = formatOf(options);
  const server = parseServer(options.server ?? HOST_DNS);
  const type = parseDnsType(options.type ?? 'A');
  if (type === undefined)
    throw usageError(`--type ${options.type} is no type of records`, 'bloomery dns query NAME --type AAAA');
  const answer = await askNameServer(
    {
      server,
      name: asciiName(name),
      type,
      options: options.trace === true ? [DNS_TRACE_OPTION] : [],
      transport: options.tcp === true ? 'tcp' : 'udp',
    },
    deps.signal,
  );
  const result = resultOf(server, answer, options.trace === true);
  if (format === 'json' || format === 'yaml') deps.stdout.write(await dataText(result, format));
  else if (format === 'name') deps.stdout.write(result.answers.map(({ data }) => `${data}\n`).join(''));
  else deps.stdout.write(resultText(result));
  if (!isAnswered(answer.message.rcode)) return EXIT.failed;
  const isThere = answer.message.rcode === DNS_RCODE.NOERROR && answer.message.answers.length > 0;
  return isThere ? EXIT.done : EXIT.notFound;
}

/** What is told of an answer, as JSON. */
interface QueryResult {
  readonly name: string;
  readonly type: string;
  readonly server: string;
  readonly transport: string;
  readonly status: string;
  readonly tookMs: number;
  readonly answers: readonly RecordResult[];
  readonly authorities: readonly RecordResult[];
  /** null: the server tells none. Absent: it was not asked for. */
  readonly trace?: DnsTrace | null;
}

interface RecordResult {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly type: string;
  readonly data: string;
}

function resultOf(server: Listen, { message, transport, tookMs }: NameAnswer, isTraced: boolean): QueryResult {
  const option = message.edns?.options.find(({ code }) => code === DNS_TRACE_OPTION);
  const trace = option === undefined ? undefined : decodeDnsTrace(option.data);
  return {
    name: message.question.name,
    type: dnsTypeName(message.question.type),
    server: hostPort(server),
    transport,
    status: dnsRcodeName(message.rcode),
    tookMs: Math.round(tookMs * 10) / 10,
    answers: message.answers.map(recordResult),
    authorities: message.authorities.map(recordResult),
    ...(isTraced ? { trace: trace ?? null } : {}),
  };
}

const recordResult = ({ name, ttlSeconds, type, text }: DnsRecord): RecordResult => ({
  name,
  ttlSeconds,
  type: dnsTypeName(type),
  data: text,
});

function resultText(result: QueryResult): string {
  const { answers, server, status, tookMs, trace, transport } = result;
  const rows = answers.map(({ name, ttlSeconds, type, data }) => [`${name}.`, String(ttlSeconds), type, data]);
  const table = rows.length === 0 ? '' : `${tableText(['NAME', 'TTL', 'TYPE', 'DATA'], rows)}\n`;
  const what = status === 'NOERROR' && rows.length === 0 ? `NOERROR, but no ${result.type} records` : status;
  return `${table}${what} from ${server} over ${transport} in ${tookMs} ms\n${traceText(trace)}`;
}

function traceText(trace: DnsTrace | null | undefined): string {
  if (trace === undefined) return '';
  if (trace === null) return 'trace: none; only host DNS of Bloomery tells one, and only to its own host\n';
  const rows = trace.tries.map(({ upstream, protocol, transport, startedMs, tookMs, result }) => [
    `  +${rounded(startedMs)} ms`,
    upstream,
    `${protocol}/${transport}`,
    `${result} in ${rounded(tookMs)} ms`,
  ]);
  const tries = rows.length === 0 ? '' : tableText(rows[0]?.map(() => '') ?? [], rows, false);
  return `answered ${answeredBy(trace)} in ${rounded(trace.tookMs)} ms\n${tries}`;
}

function answeredBy({ answeredBy: by, upstream, domain, ageSeconds, coalesced }: DnsTrace): string {
  const age = ageSeconds === undefined ? '' : `, ${ageSeconds} s old`;
  const of = domain === undefined ? '' : ` of domain ${domain}`;
  const waited = coalesced === true ? ', by the question of somebody else that was under way' : '';
  switch (by) {
    case 'cache':
      return `from the cache${age}`;
    case 'stale':
      return `from the cache${age}: no server answered, so it is out of date`;
    case 'static':
      return 'from the hosts of the configuration';
    case 'member':
      return 'from the members of the cluster';
    case 'upstream':
      return `by upstream ${upstream ?? 'unknown'}${of}${waited}`;
    case 'none':
      return `by nobody${of}${waited}`;
  }
}

const rounded = (ms: number): string => String(Math.round(ms * 10) / 10);

/** @throws BloomeryError BLM_CLI_USAGE */
function asciiName(text: string): string {
  const name = text.replace(/\.$/, '');
  const ascii = /^[!-~]*$/.test(name) ? name : domainToASCII(name);
  if (ascii === '' && name !== '') throw usageError(`${text} can be no name`);
  return ascii;
}

/** An address, with a port or without. @throws BloomeryError BLM_CLI_USAGE */
function parseServer(text: string): Listen {
  if (isIP(text) !== 0) return { host: text, port: DNS_PORT };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? DNS_PORT);
  if (isIP(host) === 0 || port < 1 || port > 0xffff || (match?.[1] !== undefined && !isIPv6(host)))
    throw usageError(`--server ${text} is no address of a name server`, 'bloomery dns query NAME --server 127.0.0.53');
  return { host, port };
}
