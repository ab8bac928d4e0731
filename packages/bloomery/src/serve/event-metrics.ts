import type { EventCounts } from '@bloomery/plane';
import type { Registry } from 'prom-client';
import { addTotal, addTotals } from './read-metrics.ts';

/** Metrics of the sink of machine events. The labels are bounded: the types that we know and `other`, and four refusals. */
export function addEventMetrics(registers: Registry[], counts: EventCounts): void {
  const name = 'bloomery_siderolink_events';
  addTotals(
    registers,
    {
      name: `${name}_total`,
      help: 'Events of machines that could be read, by type; also those that were repeated or not stored.',
      label: 'type',
    },
    () => counts.received,
  );
  addTotals(
    registers,
    { name: `${name}_refused_total`, help: 'Events that were answered with an error, by reason.', label: 'reason' },
    () => counts.refused,
  );
  addTotal(
    registers,
    { name: `${name}_repeated_total`, help: 'Events that came again and changed nothing.' },
    () => counts.repeated,
  );
}
