import type { EventCounts } from '@bloomery/plane';
import { Counter, type Registry } from 'prom-client';

/**
 * Metrics of the sink of machine events. The labels are bounded: the types that we know and `other`, and four refusals.
 * `read` is asked when somebody asks for the metrics; undefined: nothing listens yet.
 */
export function addEventMetrics(registers: Registry[], read: () => EventCounts | undefined): void {
  const counter = <L extends string>(
    name: string,
    help: string,
    label: L,
    of: (counts: EventCounts) => Readonly<Record<string, number>>,
  ) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        const counts = read();
        if (counts === undefined) return;
        for (const [value, count] of Object.entries(of(counts))) this.labels(value).inc(count);
      },
    });
  counter(
    'bloomery_siderolink_events_total',
    'Events of machines that could be read, by type; also those that were repeated or not stored.',
    'type',
    (counts) => counts.received,
  );
  counter(
    'bloomery_siderolink_events_refused_total',
    'Events that were answered with an error, by reason.',
    'reason',
    (counts) => counts.refused,
  );
  new Counter({
    name: 'bloomery_siderolink_events_repeated_total',
    help: 'Events that came again and changed nothing.',
    registers,
    collect() {
      this.reset();
      this.inc(read()?.repeated ?? 0);
    },
  });
}
