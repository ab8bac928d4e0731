import type { EventCounts } from '@bloomery/plane';
import { Counter, type Registry } from 'prom-client';

/** Metrics of the sink of machine events. The labels are bounded: the types that we know and `other`, and four refusals. */
export function addEventMetrics(registers: Registry[], counts: EventCounts): void {
  const counter = <L extends string>(
    name: string,
    help: string,
    label: L,
    read: () => Readonly<Record<string, number>>,
  ) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read())) this.labels(value).inc(count);
      },
    });
  counter(
    'bloomery_siderolink_events_total',
    'Events of machines that could be read, by type; also those that were repeated or not stored.',
    'type',
    () => counts.received,
  );
  counter(
    'bloomery_siderolink_events_refused_total',
    'Events that were answered with an error, by reason.',
    'reason',
    () => counts.refused,
  );
  new Counter({
    name: 'bloomery_siderolink_events_repeated_total',
    help: 'Events that came again and changed nothing.',
    registers,
    collect() {
      this.reset();
      this.inc(counts.repeated);
    },
  });
}
