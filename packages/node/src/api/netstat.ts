import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { machineProto } from '@bloomery/wire';
import { type ConnectionRow, parseConnections } from './connection-table.ts';

const PROTOCOLS = ['tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'udplite6', 'raw', 'raw6'] as const;
type Protocol = (typeof PROTOCOLS)[number];

const { CONNECTED, LISTENING } = machineProto.NetstatRequest_Filter;
const { ConnectRecord_State: STATE, ConnectRecord_TimerActive: TIMER } = machineProto;
const STATES = Object.values(STATE);
const TIMERS = Object.values(TIMER);
/** Answers stay below what clients take in one message. */
const MAX_RECORDS = 20_000;

/** The sockets of this network namespace; processes are not looked for. @param root where `/proc` is */
export async function netstat(request: machineProto.NetstatRequest, root: string) {
  const { l4proto, filter } = request;
  const asked = PROTOCOLS.filter((protocol) => l4proto?.[protocol] ?? true);
  const tables = await Promise.all(asked.map(async (protocol) => recordsOf(protocol, await table(root, protocol))));
  const records = tables.flat().filter(({ isListening }) => {
    if (filter === LISTENING) return isListening;
    return filter === CONNECTED ? !isListening : true;
  });
  return records.slice(0, MAX_RECORDS).map(({ record }) => record);
}

/** A kernel without a protocol has no file for it. */
async function table(root: string, protocol: Protocol): Promise<string> {
  const path = join(root, 'proc/self/net', protocol);
  return readFile(path, 'utf8').catch(() => '');
}

function recordsOf(protocol: Protocol, text: string) {
  return parseConnections(text).map((row) => ({
    isListening: protocol.startsWith('tcp') ? row.state === STATE.LISTEN : row.remotePort === 0,
    record: recordOf(protocol, row),
  }));
}

const recordOf = (protocol: Protocol, row: ConnectionRow) => ({
  l4proto: protocol,
  localip: row.localAddress,
  localport: row.localPort,
  remoteip: row.remoteAddress,
  remoteport: row.remotePort,
  state: STATES.find((state) => state === row.state) ?? STATE.CLOSE,
  txqueue: BigInt(row.txQueue),
  rxqueue: BigInt(row.rxQueue),
  tr: TIMERS.find((timer) => timer === row.timer) ?? TIMER.OFF,
  timerwhen: BigInt(row.timerWhen),
  retrnsmt: BigInt(row.retransmits),
  uid: row.uid,
  timeout: BigInt(row.timeout),
  inode: BigInt(row.inode),
  ref: BigInt(row.references),
  pointer: row.pointer,
  process: {},
});
