/**
 * Work that is asked for often and done as seldom as that allows: never twice at once, and who asks while it runs is served by the next
 * run, together with all others.
 *
 * @returns asks for it; resolves when a run that began afterwards has ended. Rejects as that run does.
 */
export function oneRunBehind(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    await running.catch(() => undefined);
    running = next ?? running;
    next = undefined;
    await work();
  };
  return () => {
    next ??= run();
    return next;
  };
}
