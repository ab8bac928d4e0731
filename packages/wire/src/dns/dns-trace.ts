/** EDNS option (range for local use, RFC 6891 section 9) by which a client on the same host asks how its question was answered. */
export const DNS_TRACE_OPTION = 65_001;

/** One upstream that was asked. */
export interface DnsTraceTry {
  /** `1.1.1.1:53`. */
  readonly upstream: string;
  readonly protocol: string;
  readonly transport: 'udp' | 'tcp' | 'tls' | 'https';
  /** Milliseconds after the question came. */
  readonly startedMs: number;
  readonly tookMs: number;
  /** `NOERROR`, `NXDOMAIN`, `timeout`, `truncated`, `connection refused`, `overtaken`, … */
  readonly result: string;
}

/** How a question was answered. */
export interface DnsTrace {
  readonly answeredBy: 'static' | 'member' | 'cache' | 'stale' | 'upstream' | 'none';
  /** The upstream whose answer it is. */
  readonly upstream?: string;
  /** The domain of split DNS that decided who is asked. */
  readonly domain?: string;
  /** Of an answer from the cache. */
  readonly ageSeconds?: number;
  readonly tookMs: number;
  /** In the order in which they began. */
  readonly tries: readonly DnsTraceTry[];
  /** Another question that was under way was waited for. */
  readonly coalesced?: boolean;
}

/** More tries are not told. */
const TRIES_MAX = 16;

/** Data of the option: JSON. An empty option asks for it. */
export function encodeDnsTrace(trace: DnsTrace): Uint8Array {
  return Buffer.from(JSON.stringify({ ...trace, tries: trace.tries.slice(0, TRIES_MAX) }), 'utf8');
}

/** Read the data of the option; undefined when it is no trace. */
export function decodeDnsTrace(data: Uint8Array): DnsTrace | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString('utf8'));
  } catch {
    return undefined;
  }
  return isTrace(value) ? value : undefined;
}

const ANSWERED_BY = new Set<unknown>(['static', 'member', 'cache', 'stale', 'upstream', 'none']);

function isTrace(value: unknown): value is DnsTrace {
  if (!isRecord(value) || !ANSWERED_BY.has(value['answeredBy'])) return false;
  const { tries } = value;
  return typeof value['tookMs'] === 'number' && Array.isArray(tries) && tries.every(isTry);
}

function isTry(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const texts = ['upstream', 'protocol', 'transport', 'result'];
  return (
    texts.every((key) => typeof value[key] === 'string') &&
    ['startedMs', 'tookMs'].every((key) => typeof value[key] === 'number')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
