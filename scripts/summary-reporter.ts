import type { TestEvent } from 'node:test/reporters';

/** Reporter for scripts/run-tests.ts: one JSON line per failure or skip, and the totals at the end. */
// biome-ignore lint/style/noDefaultExport: node:test loads reporters by their default export
export default async function* summary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type === 'test:fail' && event.data.details.type !== 'suite') {
      yield `${JSON.stringify({ failed: event.data.name, file: event.data.file })}\n`;
    } else if (event.type === 'test:pass' && event.data.skip !== undefined && event.data.details.type !== 'suite') {
      yield `${JSON.stringify({ skipped: event.data.name, why: event.data.skip, file: event.data.file })}\n`;
    } else if (event.type === 'test:summary' && event.data.file === undefined) {
      yield `${JSON.stringify({ counts: event.data.counts })}\n`;
    }
  }
}
