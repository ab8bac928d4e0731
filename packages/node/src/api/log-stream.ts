import { grpcError } from '@bloomery/grpc';
import type { machineProto } from '@bloomery/wire';
import type { NodeLogs } from './node-logs.ts';

const CHUNK_CHARACTERS = 16 * 1024;

/**
 * The lines that `talosctl logs` asks for, in pieces.
 *
 * @throws BloomeryError BLM_GRPC_STATUS NOT_FOUND for services without logs, RESOURCE_EXHAUSTED with too many followers.
 */
export async function* logStream(
  logs: NodeLogs,
  { id, follow, tailLines }: Pick<machineProto.LogsRequest, 'id' | 'follow' | 'tailLines'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const journal = logs.journal(id);
  if (journal === undefined) {
    const known = logs.ids.join(', ');
    throw grpcError('NOT_FOUND', `log ${JSON.stringify(id.slice(0, 200))} was not registered; there are ${known}`);
  }
  const { items } = journal;
  const past = tailLines < 0 ? items : items.slice(Math.max(0, items.length - tailLines));
  if (!follow) {
    yield* chunks(past);
    return;
  }
  const lines = journal.follow(past, signal);
  if (lines === undefined) throw grpcError('RESOURCE_EXHAUSTED', `too many clients follow the logs of ${id}`);
  for await (const line of lines) yield Buffer.from(`${line}\n`);
}

function* chunks(lines: readonly string[]): Generator<Uint8Array> {
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}
