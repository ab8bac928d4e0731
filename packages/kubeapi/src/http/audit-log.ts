import { type JsonObject, stringifyJson } from '@bloomery/model';
import { type Clock, type Logger, openRecordFile, type RecordFile, type RecordFileLimits } from '@bloomery/ports';

/** The bounds of the audit log unless a test says otherwise: 320 MiB on disk, 8 MiB in memory. */
export const AUDIT_LOG_LIMITS: RecordFileLimits = {
  fileBytes: 64 * 1024 * 1024,
  oldFiles: 4,
  fullBytes: 1024 * 1024,
  waitingBytes: 8 * 1024 * 1024,
  gatherMs: 100,
  retryMs: 5000,
};

/** An open audit log. Disposing it writes what waits. */
export interface AuditLog extends AsyncDisposable, Pick<RecordFile, 'counts' | 'problem'> {
  /** Takes an event. Returns at once and never throws. */
  write(event: JsonObject): void;
}

/** Where the log is, and what it needs. */
export interface AuditLogOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<RecordFileLimits>;
}

/**
 * Open the audit log: JSON lines in a file of mode 0600. No request waits for the disk, and a full disk loses lines, not
 * requests. What was lost is counted and said in the log of the server.
 */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  const records = openRecordFile({ ...options, name: 'audit', limits: { ...AUDIT_LOG_LIMITS, ...options.limits } });
  return {
    counts: records.counts,
    get problem() {
      return records.problem;
    },
    write: (event) => void records.write(stringifyJson(event)),
    [Symbol.asyncDispose]: () => records[Symbol.asyncDispose](),
  };
}
