import type { LogCounts } from '@bloomery/plane';
import type { Registry } from 'prom-client';
import { addLevel, addTotal, addTotals, type ByLabel } from './read-metrics.ts';

/** Metrics of the receiver of kernel logs. Labels: the reasons for dropping, which are few. */
export function addLogMetrics(registers: Registry[], counts: LogCounts): void {
  addTotal(
    registers,
    { name: 'bloomery_log_lines_total', help: 'Kernel log lines taken from machines.' },
    () => counts.lines,
  );
  addTotals(
    registers,
    {
      name: 'bloomery_log_dropped_total',
      help: 'What machines sent as kernel log and did not become a line, by reason.',
      label: 'reason',
    },
    () => counts.dropped,
  );
  addLevel(
    registers,
    { name: 'bloomery_log_connections', help: 'Open connections of machines that send kernel logs.' },
    () => counts.connections,
  );
  addTotal(
    registers,
    {
      name: 'bloomery_log_connections_refused_total',
      help: 'Connections of machines that were closed because there were too many.',
    },
    () => counts.refusedConnections,
  );
}

/** @param lost Lines by file. */
export function addRecordMetrics(registers: Registry[], lost: () => ByLabel): void {
  addTotals(
    registers,
    {
      name: 'bloomery_record_lines_lost_total',
      help: 'Lines of machines that were taken and could not be kept: the disk was full, broken or too slow.',
      label: 'file',
    },
    lost,
  );
}
