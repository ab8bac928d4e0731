import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import { type EventSender, type SiderolinkNode, startSiderolinkNode } from '@bloomery/siderolink';
import { type LinkSettings, sameDestinations } from './link-settings.ts';

/** What the stand-in's end of the link needs. */
export interface StandInLinkDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** The stand-in's end of SideroLink: joins as soon as it has settings and stays joined. */
export interface StandInLink {
  readonly events: EventSender;
  /** Take over new settings. Those that only name another API keep the senders; else what was not delivered is sent anew. */
  settle(settings: LinkSettings): Promise<void>;
  /** Send what is left, then leave. */
  leave(): Promise<void>;
}

/** Events that are kept for other settings: more than a boot has. */
const TOLD_MAX = 500;

/** Join with the settings of the kernel arguments. */
export function joinStandInLink(first: LinkSettings, deps: StandInLinkDeps): StandInLink {
  let settings = first;
  let node = startNode(settings, deps);
  const told: ((events: EventSender) => void)[] = [];
  return {
    events: {
      send: (schema, payload) => {
        told.push((events) => events.send(schema, payload));
        if (told.length > TOLD_MAX) told.shift();
        return node.events.send(schema, payload);
      },
      drained: (timeoutMs) => node.events.drained(timeoutMs),
      get backlog() {
        return node.events.backlog;
      },
    },
    settle: async (next) => {
      const isSame = sameDestinations(settings, next);
      settings = next;
      if (isSame) {
        node.update(next.inputs);
        return;
      }
      const before = node;
      await before[Symbol.asyncDispose]();
      node = startNode(next, deps);
      const { backlog } = before.events;
      for (const tell of backlog === 0 ? [] : told.slice(-backlog)) tell(node.events);
    },
    leave: async () => node[Symbol.asyncDispose](),
  };
}

function startNode(settings: LinkSettings, deps: StandInLinkDeps): SiderolinkNode {
  const node = startSiderolinkNode({ ...settings, mode: 'kernel', stateDir: '/run/link' }, deps);
  let wasUp = false;
  node.onChanged(({ connected, grpcTunnel, nodeAddress = '', lastError }) => {
    if (connected === wasUp) return;
    wasUp = connected;
    if (connected) deps.log.info('link.up', { mode: grpcTunnel ? 'tunnel' : 'udp', address: nodeAddress });
    else deps.log.warn('link.down', lastError === undefined ? {} : { error: lastError });
  });
  return node;
}
