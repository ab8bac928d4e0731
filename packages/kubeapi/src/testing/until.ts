import { setTimeout as delay } from 'node:timers/promises';

/** Ask again and again until there is an answer. @throws Error after the deadline, 45 s unless given. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = 45_000,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`after ${deadlineMs} ms still not: ${what}`);
    await delay(25);
  }
}
