import type { EventRecorder, ObjectCache, ObjectClient } from '@bloomery/kube';
import type { Clock, Logger } from '@bloomery/ports';
import type { BootSessions } from '../../boot/boot-sessions.ts';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { WipeBudget } from '../wipe-guard.ts';

/** What the agent's service works with. */
export interface AgentServiceDeps {
  readonly client: ObjectClient;
  readonly cache: ObjectCache;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly sessions: Pick<BootSessions, 'checkAgent'>;
  readonly budget: WipeBudget;
  readonly autoAccept: boolean;
  readonly autoBmcSetup: boolean;
  /** Wipe only the head and tail of each disk. */
  readonly insecureWipe: boolean;
  readonly rebootTimeoutMs: number;
  /** Reports need no token (Sidero's open behaviour). */
  readonly insecureMetadata: boolean;
}

/** Who calls, as the service sees it. */
export interface AgentCaller {
  /** `sidero.token` of this boot. */
  readonly token: string | undefined;
  /** Address of the machine, without port. */
  readonly address: string;
}
