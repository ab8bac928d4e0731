import { join } from 'node:path';
import {
  createEventCounts,
  createLogCounts,
  type LogStore,
  openLogStore,
  type WritableEventCounts,
  type WritableLogCounts,
} from '@bloomery/plane';
import { type Clock, type Logger, openRecordFile, type RecordFile } from '@bloomery/ports';

/** What machines send over the link, kept below `DIR/logs`, and how much of it there was. */
export interface MachineRecords extends AsyncDisposable {
  readonly logStore: LogStore;
  readonly logCounts: WritableLogCounts;
  readonly eventRecords: RecordFile;
  readonly eventCounts: WritableEventCounts;
  /** Lines that were taken and could not be kept, by file. */
  lost(): { readonly serverlogs: number; readonly machines: number; readonly serverevents: number };
}

/** Open the records of machines. Nothing is written before the first machine reports. */
export function openMachineRecords(
  dataDir: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): MachineRecords {
  const dir = join(dataDir, 'logs');
  const logStore = openLogStore({ dir, clock, log });
  const eventRecords = openRecordFile({ file: join(dir, 'serverevents.jsonl'), name: 'serverevents', clock, log });
  return {
    logStore,
    logCounts: createLogCounts(),
    eventRecords,
    eventCounts: createEventCounts(),
    lost: () => ({
      serverlogs: logStore.all.counts.lost,
      machines: logStore.machines.lost,
      serverevents: eventRecords.counts.lost,
    }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([logStore[Symbol.asyncDispose](), eventRecords[Symbol.asyncDispose]()]);
    },
  };
}
