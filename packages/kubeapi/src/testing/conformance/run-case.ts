import type { Case } from './area.ts';
import { Session, type Step } from './session.ts';
import type { Target } from './target.ts';

/** Run a case against a target in a namespace of its own; the recording of what it saw. */
export async function runCase(target: Target, { run }: Case): Promise<readonly Step[]> {
  const session = new Session(target);
  try {
    await session.open();
    await run(session);
    return session.steps;
  } finally {
    session.close();
    // Not awaited by the case: emptying it takes the real one seconds.
    await session.quiet('DELETE', `/api/v1/namespaces/${session.ns}`).catch(() => undefined);
  }
}
