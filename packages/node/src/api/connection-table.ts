/** A socket as /proc/net/{tcp,udp,raw}{,6} and udplite list it. @see Documentation/networking/proc_net_tcp.rst of Linux */
export interface ConnectionRow {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** As the kernel numbers TCP's states; 7 (closed) is the state of sockets without one. */
  readonly state: number;
  readonly txQueue: number;
  readonly rxQueue: number;
  readonly timer: number;
  readonly timerWhen: number;
  readonly retransmits: number;
  readonly uid: number;
  readonly timeout: number;
  readonly inode: number;
  readonly references: number;
  /** Of the kernel's socket; zero where the kernel hides it. */
  readonly pointer: bigint;
}

const MAX_ROWS = 50_000;
const ENDPOINTS =
  /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) (.{1,200})/;

/** The rows of a table; lines that are none are left out. At most 50 000. */
export function parseConnections(text: string): ConnectionRow[] {
  return text.split('\n', MAX_ROWS).flatMap((line) => {
    const row = parseRow(line);
    return row === undefined ? [] : [row];
  });
}

function parseRow(line: string): ConnectionRow | undefined {
  const [, local = '', localPort = '', remote = '', remotePort = '', rest = ''] = ENDPOINTS.exec(line) ?? [];
  const [state = '', queues = '', timer = '', retransmits = '', uid, timeout, inode, references, pointer = ''] = rest
    .trim()
    .split(/\s+/);
  if (inode === undefined) return undefined;
  const hexPair = (text: string): readonly [number, number] => {
    const [first = '0', second = '0'] = text.split(':');
    return [hex(first), hex(second)];
  };
  const [txQueue, rxQueue] = hexPair(queues);
  const [timerKind, timerWhen] = hexPair(timer);
  return {
    localAddress: addressText(local),
    localPort: hex(localPort),
    remoteAddress: addressText(remote),
    remotePort: hex(remotePort),
    state: hex(state),
    txQueue,
    rxQueue,
    timer: timerKind,
    timerWhen,
    retransmits: hex(retransmits),
    uid: decimal(uid),
    timeout: decimal(timeout),
    inode: decimal(inode),
    references: decimal(references),
    pointer: /^[0-9a-f]{1,16}$/.test(pointer) ? BigInt(`0x${pointer}`) : 0n,
  };
}

const hex = (text: string): number => (/^[0-9A-Fa-f]{1,8}$/.test(text) ? Number.parseInt(text, 16) : 0);
const decimal = (text: string | undefined): number =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;

/** Words of four bytes, each in the order of the host: little-endian wherever we run. */
function addressText(digits: string): string {
  const bytes = Buffer.from(digits, 'hex');
  bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
