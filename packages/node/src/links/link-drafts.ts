import { LinkSpec } from '../resources/links.ts';

/** What a link becomes a member of. */
export type MasterKind = 'bond' | 'bridge' | 'VRF';

/** A link as a member. Names are the kernel's; `place` is where the configuration says so. */
export interface Membership {
  readonly kind: MasterKind;
  readonly master: string;
  /** Position among the members, from 0. */
  readonly index: number;
  readonly place: string;
}

/** Links of the configuration while they are put together: several places may speak of one link. */
export interface LinkDrafts {
  has(name: string): boolean;
  /** Set fields of a link, beginning with one that is up when nothing was said of it yet. */
  set(name: string, fields: Partial<LinkSpec>): void;
  /** Make a link a member. The last claim wins; a warning names both when there were two. */
  enslave(name: string, membership: Membership): void;
  /** In the order in which they were first named. */
  readonly specs: readonly LinkSpec[];
  readonly warnings: readonly string[];
}

/** No links yet; all of them will be of layer `configuration`. */
export function createLinkDrafts(): LinkDrafts {
  const drafts = new Map<string, LinkSpec>();
  const memberships = new Map<string, Membership>();
  const warnings: string[] = [];
  const set = (name: string, fields: Partial<LinkSpec>): void => {
    const draft = drafts.get(name) ?? LinkSpec.make({ name, up: true, layer: 'configuration' });
    drafts.set(name, { ...draft, ...fields });
  };
  return {
    has: (name) => drafts.has(name),
    set,
    enslave: (name, membership) => {
      const before = memberships.get(name);
      if (before !== undefined && before.master !== membership.master) {
        const [lost, kept] = [before, membership].map(({ kind, master, place }) => `${kind} ${master} (${place})`);
        warnings.push(`link ${name} is a member of ${lost} and of ${kept}: the latter has it`);
      }
      memberships.set(name, membership);
      set(name, membershipFields(membership));
    },
    get specs() {
      return [...drafts.values()];
    },
    warnings,
  };
}

function membershipFields({ kind, master, index }: Membership): Partial<LinkSpec> {
  const none = { masterName: '' };
  const own = { masterName: master };
  return {
    bondSlave: kind === 'bond' ? { ...own, slaveIndex: index } : { ...none, slaveIndex: 0 },
    bridgeSlave: kind === 'bridge' ? own : none,
    vrfSlave: kind === 'VRF' ? own : none,
  };
}
