import type { Server, ServerClass, ServerClassMatcher } from '@bloomery/model';
import { jsonEqual, serverClassMatcher } from '@bloomery/model';

/** How a member of a class can be used: free and clean, free but not wiped yet, or allocated. */
export type MemberState = 'clean' | 'dirty' | 'inUse';

/** What the index knows of a class. `problem` says why it cannot be evaluated; the members are then incomplete. */
export interface ClassMembers {
  readonly members: ReadonlyMap<string, MemberState>;
  readonly problem: string | undefined;
}

/** Membership of every Server in every class, kept by changes: only what changed is evaluated again. */
export interface MembershipIndex {
  /** A Server changed, or is gone (undefined). Returns the classes whose members changed. */
  serverChanged(name: string, server: Server | undefined): readonly string[];
  /** A class exists with this spec; it is evaluated against all Servers when the spec is new. */
  classChanged(name: string, spec: ServerClass['spec']): void;
  classGone(name: string): void;
  membersOf(name: string): ClassMembers | undefined;
}

interface Entry {
  readonly spec: ServerClass['spec'];
  readonly matcher: ServerClassMatcher;
  readonly members: Map<string, MemberState>;
  /** Servers that reached a broken selector. */
  readonly problems: Map<string, string>;
}

/** Make an empty index. */
export function createMembershipIndex(): MembershipIndex {
  const servers = new Map<string, Server>();
  const classes = new Map<string, Entry>();
  return {
    serverChanged(name, server) {
      const before = servers.get(name);
      if (server === undefined) servers.delete(name);
      else servers.set(name, server);
      if (before !== undefined && server !== undefined && hasSameInputs(before, server)) return [];
      return [...classes].filter(([, entry]) => evaluate(entry, name, server)).map(([className]) => className);
    },
    classChanged(name, spec) {
      const known = classes.get(name);
      if (known !== undefined && jsonEqual(known.spec, spec)) return;
      const entry: Entry = { spec, matcher: serverClassMatcher(spec), members: new Map(), problems: new Map() };
      for (const [serverName, server] of servers) evaluate(entry, serverName, server);
      classes.set(name, entry);
    },
    classGone: (name) => {
      classes.delete(name);
    },
    membersOf(name) {
      const entry = classes.get(name);
      if (entry === undefined) return undefined;
      const [problem] = entry.problems.values();
      return { members: entry.members, problem };
    },
  };
}

/** Put one Server's membership right; true when it changed. */
function evaluate(entry: Entry, name: string, server: Server | undefined): boolean {
  const before = entry.members.get(name);
  const hadProblem = entry.problems.has(name);
  entry.members.delete(name);
  entry.problems.delete(name);
  if (server !== undefined) {
    const membership = entry.matcher(server);
    if (!membership.ok) entry.problems.set(name, membership.problem);
    else if (membership.member) entry.members.set(name, stateOf(server));
  }
  return before !== entry.members.get(name) || hadProblem !== entry.problems.has(name);
}

function stateOf(server: Server): MemberState {
  if (server.status?.inUse === true) return 'inUse';
  return server.status?.isClean === true ? 'clean' : 'dirty';
}

function hasSameInputs(a: Server, b: Server): boolean {
  return (
    a.spec?.accepted === b.spec?.accepted &&
    a.spec?.cordoned === b.spec?.cordoned &&
    stateOf(a) === stateOf(b) &&
    jsonEqual(a.metadata.labels, b.metadata.labels) &&
    jsonEqual(a.spec?.hardware, b.spec?.hardware)
  );
}
