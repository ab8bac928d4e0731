import { setTimeout as delay } from 'node:timers/promises';

/** How tests wait. */
export interface UntilOptions {
  /** 60 s unless given. */
  readonly deadlineMs?: number;
  /** What is told beside what was waited for. */
  readonly explain?: () => string;
}

const ASK_EVERY_MS = 10;

/** Ask again and again until there is an answer, which is neither undefined nor false. @throws Error after the deadline. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = 60_000, explain = () => '' }: UntilOptions = {},
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`after ${deadlineMs} ms still not: ${what} ${explain()}`.trimEnd());
    await delay(ASK_EVERY_MS);
  }
}
