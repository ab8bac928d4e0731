import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/** A kernel log line of a machine as the plane wrote it down, with whose it is. */
export interface CollectedLine {
  readonly msg: string;
  readonly server_uuid?: string;
  readonly namespace?: string;
  readonly metal_machine?: string;
  readonly cluster?: string;
  readonly machine?: string;
}

/** What the plane has collected of the machines' kernel logs. */
export interface CollectedLogs {
  /** The lines of a machine so far, oldest first. */
  of(serverUuid: string): readonly CollectedLine[];
}

const CHUNK_BYTES = 1 << 20;

/** Follows `DIR/logs/serverlogs.jsonl`; each look reads what is new. A lab's log stays below the size where files rotate. */
export function followCollectedLogs(file: string): CollectedLogs {
  const byServer = new Map<string, CollectedLine[]>();
  let offset = 0;
  let rest = Buffer.alloc(0);
  const look = (): void => {
    if (!existsSync(file)) return;
    const handle = openSync(file, 'r');
    try {
      while (offset < fstatSync(handle).size) {
        const chunk = Buffer.alloc(CHUNK_BYTES);
        const got = readSync(handle, chunk, 0, CHUNK_BYTES, offset);
        if (got === 0) return;
        offset += got;
        rest = Buffer.concat([rest, chunk.subarray(0, got)]);
        const end = rest.lastIndexOf(0x0a) + 1;
        for (const text of rest.subarray(0, end).toString('utf8').split('\n')) take(text);
        rest = rest.subarray(end);
      }
    } finally {
      closeSync(handle);
    }
  };
  const take = (text: string): void => {
    if (text === '') return;
    const line = JSON.parse(text) as CollectedLine;
    const { server_uuid: server = '' } = line;
    const lines = byServer.get(server);
    if (lines === undefined) byServer.set(server, [line]);
    else lines.push(line);
  };
  return {
    of: (serverUuid) => {
      look();
      return byServer.get(serverUuid) ?? [];
    },
  };
}
