import { Counter, Gauge, type Registry } from 'prom-client';

/** What a metric is called, and what it says. */
export interface MetricName {
  readonly name: string;
  readonly help: string;
}

/** Numbers by the value of the metric's one label. The values must be few. */
export type ByLabel = Readonly<Record<string, number>>;

/** A total that is counted elsewhere; `read` is asked when somebody asks for the metrics. */
export function addTotal(registers: Registry[], metric: MetricName, read: () => number): void {
  new Counter({
    ...metric,
    registers,
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** The same for a total with one label. */
export function addTotals(
  registers: Registry[],
  { label, ...metric }: MetricName & { readonly label: string },
  read: () => ByLabel,
): void {
  new Counter({
    ...metric,
    labelNames: [label],
    registers,
    collect() {
      this.reset();
      for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
    },
  });
}

/** A number that rises and falls; `read` is asked when somebody asks for the metrics. */
export function addLevel(registers: Registry[], metric: MetricName, read: () => number): void {
  new Gauge({
    ...metric,
    registers,
    collect() {
      this.set(read());
    },
  });
}

/** The same for a number with one label. */
export function addLevels(
  registers: Registry[],
  { label, ...metric }: MetricName & { readonly label: string },
  read: () => ByLabel,
): void {
  new Gauge({
    ...metric,
    labelNames: [label],
    registers,
    collect() {
      this.reset();
      for (const [value, level] of Object.entries(read())) this.set({ [label]: value }, level);
    },
  });
}
