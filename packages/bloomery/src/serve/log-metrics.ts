import type { LogCounts } from '@bloomery/plane';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Metrics of the receiver of kernel logs. Labels: the reasons for dropping, which are few. */
export function addLogMetrics(registers: Registry[], counts: LogCounts): void {
  new Counter({
    name: 'bloomery_log_lines_total',
    help: 'Kernel log lines taken from machines.',
    registers,
    collect() {
      this.reset();
      this.inc(counts.lines);
    },
  });
  new Counter({
    name: 'bloomery_log_dropped_total',
    help: 'What machines sent as kernel log and did not become a line, by reason.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(counts.dropped)) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'bloomery_log_connections',
    help: 'Open connections of machines that send kernel logs.',
    registers,
    collect() {
      this.set(counts.connections);
    },
  });
}
