import { type EventRecorder, type ObjectCache, type ObjectClient, patchStatus } from '@bloomery/kube';
import { type ServerBinding, serverBinding } from '@bloomery/model';
import { type Clock, createSeldom, errorText, type Logger, rememberNewest } from '@bloomery/ports';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import { recordAboutMachine } from '../bound-objects.ts';

/** What telling about two machines of one UUID needs. */
export interface DuplicateDeps {
  readonly client: ObjectClient;
  readonly cache: ObjectCache;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How two machines of one UUID gave themselves away. */
export type DuplicateEvidence = 'unique-token' | 'old-key';

/** Watches for machines that share a UUID, and tells about them. */
export interface DuplicateWatch {
  /**
   * A machine was provisioned. Keys live in a machine's memory for one boot: one that comes back after it was replaced belongs
   * to another machine than the one in between.
   */
  provisioned(binding: ServerBinding, publicKey: string): void;
  /** A machine presented a unique token that is not the owner's. */
  refused(binding: ServerBinding): void;
}

/** Condition of a ServerBinding. */
export const UNIQUE_CONDITION = 'UniqueIdentity';
const REASON = 'DuplicateIdentity';
const KEYS_KEPT = 4;
const MACHINES_MAX = 20_000;
const TELL_EVERY_MS = 600_000;
/** Without new evidence for so long the condition goes. */
const QUIET_MS = 3_600_000;

const TEXTS: Readonly<Record<DuplicateEvidence, string>> = {
  'unique-token':
    'Another machine than the one that owns this UUID asked for its link address and was refused; next: give one of them another UUID, or run bloomery token reset if the machine was replaced',
  'old-key':
    'Two machines take turns asking for the link address of this UUID; next: find the machines that share it and give one of them another UUID',
};

/** Make a watch. What it remembers of keys is lost at a restart. */
export function createDuplicateWatch(deps: DuplicateDeps): DuplicateWatch {
  /** By binding uid: keys that were seen, the newest last. */
  const seen = new Map<string, string[]>();
  const lastMs = new Map<string, number>();
  const mayTell = createSeldom(deps.clock, TELL_EVERY_MS);
  const found = (binding: ServerBinding, evidence: DuplicateEvidence): void => {
    const { uid = '', name } = binding.metadata;
    rememberNewest(lastMs, uid, deps.clock.nowMs(), MACHINES_MAX);
    if (!mayTell(`${uid} ${evidence}`)) return;
    tell(binding, evidence, deps).catch((error) => {
      deps.log.warn('link.duplicate_not_told', { server: name, error: errorText(error) });
    });
  };
  return {
    provisioned: (binding, publicKey) => {
      const { uid = '' } = binding.metadata;
      const keys = seen.get(uid) ?? [];
      const at = keys.indexOf(publicKey);
      const isBack = at >= 0 && at < keys.length - 1;
      if (at < 0 || isBack) {
        const now = [...keys.filter((key) => key !== publicKey), publicKey].slice(-KEYS_KEPT);
        rememberNewest(seen, uid, now, MACHINES_MAX);
      }
      if (isBack) return found(binding, 'old-key');
      const quietMs = deps.clock.nowMs() - (lastMs.get(uid) ?? toldMs(binding) ?? Number.POSITIVE_INFINITY);
      if (toldMs(binding) !== undefined && quietMs >= QUIET_MS) clear(binding, deps);
    },
    refused: (binding) => found(binding, 'unique-token'),
  };
}

/** When the condition was set; undefined when it is not there. */
function toldMs({ status }: ServerBinding): number | undefined {
  const told = status?.conditions?.find(({ type }) => type === UNIQUE_CONDITION);
  return told === undefined ? undefined : Date.parse(told.lastTransitionTime);
}

async function tell(binding: ServerBinding, evidence: DuplicateEvidence, deps: DuplicateDeps): Promise<void> {
  const { name } = binding.metadata;
  const message = TEXTS[evidence];
  deps.log.warn('link.duplicate_machine', { server: name, evidence });
  deps.timeline.record({
    source: 'link',
    about: { server: name },
    stage: 'Link',
    severity: 'warning',
    event: REASON,
    summary: message,
    facts: { evidence },
  });
  recordAboutMachine(name, binding, { type: 'Warning', reason: 'DuplicateIdentity', message }, deps);
  const condition = {
    type: UNIQUE_CONDITION,
    status: 'False' as const,
    severity: 'Warning' as const,
    reason: REASON,
    message,
  };
  await patchStatus(deps, serverBinding, { name }, () => ({ conditions: [condition] }));
}

function clear({ metadata: { name } }: ServerBinding, deps: DuplicateDeps): void {
  const conditions = [{ type: UNIQUE_CONDITION, status: null }];
  patchStatus(deps, serverBinding, { name }, () => ({ conditions })).catch((error) => {
    deps.log.debug('link.duplicate_not_cleared', { server: name, error: errorText(error) });
  });
}
