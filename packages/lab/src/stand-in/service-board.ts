import type { MachineReports, ServiceState } from '@bloomery/siderolink';

/** How a service of the machine is. */
export interface ServiceReport {
  readonly state: ServiceState;
  readonly message: string;
  /** undefined: nobody knows, or the service has no health. */
  readonly isHealthy: boolean | undefined;
}

/** A service with what happened to it, oldest first, and when. */
export interface BoardEntry {
  readonly id: string;
  readonly events: readonly (ServiceReport & { readonly atMs: number })[];
}

/** The services of the machine as they really are: what `ServiceList` answers, and what is told over the link. */
export interface ServiceBoard {
  /** Nothing happens when nothing is new. */
  set(id: string, report: ServiceReport): void;
  list(): readonly BoardEntry[];
}

const MAX_EVENTS = 20;

/** An empty board. Changes are told over the link. */
export function createServiceBoard(reports: Pick<MachineReports, 'service'>, nowMs: () => number): ServiceBoard {
  const entries = new Map<string, (ServiceReport & { readonly atMs: number })[]>();
  return {
    set(id, report) {
      const events = entries.get(id) ?? [];
      const last = events.at(-1);
      const isSame =
        last?.state === report.state && last.isHealthy === report.isHealthy && last.message === report.message;
      if (isSame) return;
      events.push({ ...report, atMs: nowMs() });
      entries.set(id, events.slice(-MAX_EVENTS));
      // With every word of an error that comes again and again, the timeline would be of nothing else.
      if (last?.state === report.state && last.isHealthy === report.isHealthy) return;
      reports.service(id, report.state, report.message, report.isHealthy);
    },
    list: () => [...entries].map(([id, events]) => ({ id, events })),
  };
}
