import type { IncomingMessage } from 'node:http';
import { isJsonObject, type JsonObject, parseJson } from '@bloomery/model';
import { until } from '@bloomery/ports';

/** One line of a watch. */
export interface WatchEvent {
  readonly type: string;
  readonly object: JsonObject;
}

/** Collects the lines of a watch and hands them out in order. */
export class WatchReader {
  readonly #response: IncomingMessage;
  readonly #record: (events: readonly WatchEvent[], ended: boolean) => void;
  readonly #events: WatchEvent[] = [];
  #taken = 0;
  #ended = false;

  constructor(response: IncomingMessage, record: (events: readonly WatchEvent[], ended: boolean) => void) {
    this.#response = response;
    this.#record = record;
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#events.push(eventOf(line));
    });
    response.on('end', () => {
      if (rest !== '') this.#events.push(eventOf(rest));
      this.#ended = true;
    });
    response.on('error', () => {
      this.#ended = true;
    });
  }

  /** The next events, without recording them. */
  async next(count: number): Promise<readonly WatchEvent[]> {
    const whole = (): boolean => this.#events.length >= this.#taken + count || this.#ended;
    await until(`${count} events of a watch`, whole, { deadlineMs: 15_000 }).catch(() => undefined);
    const events = this.#events.slice(this.#taken, this.#taken + count);
    this.#taken += events.length;
    return events;
  }

  /** The next events, recorded; fewer when they do not come in time. */
  async take(count: number): Promise<readonly WatchEvent[]> {
    const events = await this.next(count);
    this.#record(events, false);
    return events;
  }

  /** The events until the server ends the watch, without recording them. */
  async nextAll(): Promise<readonly WatchEvent[]> {
    await until('the end of a watch', () => this.#ended, { deadlineMs: 30_000 }).catch(() => undefined);
    const events = this.#events.slice(this.#taken);
    this.#taken = this.#events.length;
    return events;
  }

  /** The events until the server ends the watch, recorded. */
  async takeAll(): Promise<readonly WatchEvent[]> {
    const events = await this.nextAll();
    this.#record(events, this.#ended);
    return events;
  }

  /** Leave it. */
  close(): void {
    this.#response.destroy();
  }
}

function eventOf(line: string): WatchEvent {
  const parsed = line.startsWith('{') ? parseJson(line) : {};
  const { type, object } = isJsonObject(parsed) ? parsed : {};
  // An answer that is no stream of events: a Status, or text.
  if (typeof type !== 'string') return { type: 'NONE', object: isJsonObject(parsed) ? parsed : {} };
  return { type, object: isJsonObject(object) ? object : {} };
}
