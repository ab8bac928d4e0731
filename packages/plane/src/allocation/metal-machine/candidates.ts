import type { Server, ServerClass } from '@bloomery/model';
import { ANNOTATIONS, serverClassMatcher } from '@bloomery/model';
import { isPaused } from '../paused.ts';
import type { Wait } from '../wait.ts';

/** What keeps a Server from being allocated now; undefined when nothing does. The order is that of the counts. */
export function unfitness(server: Server): string | undefined {
  if (server.metadata.deletionTimestamp !== undefined) return 'being deleted';
  if (isPaused(server, undefined)) return 'paused';
  if (server.spec?.accepted !== true) return 'not accepted';
  if (server.spec.cordoned === true) return 'cordoned';
  if (server.status?.inUse === true) return 'in use';
  if (server.metadata.annotations?.[ANNOTATIONS.boundTo] !== undefined) return 'in use';
  if (server.status?.isClean !== true) return 'not clean';
  return undefined;
}

/** Why no Server of a class can be had, with counts as a scheduler gives them. */
export function noServerWait(serverClass: ServerClass, servers: readonly Server[]): Wait {
  const className = serverClass.metadata.name;
  const matcher = serverClassMatcher(serverClass.spec);
  const counts = new Map<string, number>();
  for (const server of servers) {
    // A member of the class but for being accepted and not cordoned, which are counted on their own.
    const membership = matcher({ ...server, spec: { ...server.spec, accepted: true, cordoned: false } });
    const isMember = membership.ok && membership.member;
    const why = isMember ? (unfitness(server) ?? 'just taken') : 'not in the class';
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const lacks = [...counts].map(([why, n]) => `${n} ${why}`).sort(byText);
  const total = `0/${servers.length} servers of ServerClass "${className}" can be allocated`;
  return {
    reason: 'NoServerAvailable',
    message: `${total}${lacks.length === 0 ? ': none has registered' : `: ${lacks.join(', ')}`}; next: the first that becomes free and clean is taken`,
    event: `no Server of ServerClass "${className}" is accepted, clean, free and not cordoned`,
  };
}

function byText(a: string, b: string): number {
  const text = (s: string): string => s.replace(/^\d+ /, '');
  return text(a) < text(b) ? -1 : 1;
}
