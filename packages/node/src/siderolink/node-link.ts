import { join } from 'node:path';
import {
  type DialDeps,
  type LinkInputs,
  type LinkSinkChoice,
  type SiderolinkNode,
  type SiderolinkNodeStatus,
  type StartSiderolinkNode,
  startSiderolinkNode,
  type UniqueTokenStore,
} from '@bloomery/siderolink';
import type { NodeEvents } from '../api/node-events.ts';
import type { NodeEnvironment } from '../node-environment.ts';

/** What the link needs beside the environment. */
export interface NodeLinkDeps {
  /** How the API is dialled: proxies and authorities of the moment. */
  readonly dialer: Pick<DialDeps, 'environment' | 'authorities'>;
  /** Where the machine remembers its unique token. Absent: that of the configuration is sent as it is. */
  readonly uniqueToken?: UniqueTokenStore;
  /** The client library unless given. */
  readonly start?: StartSiderolinkNode;
}

/** The daemon's end of the link, for the controllers that look after it. Disposing it leaves. */
export interface NodeLink extends AsyncDisposable {
  /**
   * Undefined leaves the link.
   *
   * @throws BloomeryError BLM_LINK_CONFIG_INVALID for a kernel log destination that is none; joining goes on all the same.
   */
  readonly join: (inputs: LinkInputs | undefined, sinks: LinkSinkChoice) => void;
  readonly isJoining: () => boolean;
  /** Its `lastError` names no token. */
  readonly status: () => SiderolinkNodeStatus;
  readonly virtualAddress: () => string | undefined;
  /** Calls back when the status, or whether it is joining, differs. Returns the end of it. */
  readonly onChanged: (listener: () => void) => () => void;
  /** Tell the plane of an event; kept until there is a link. */
  readonly publish: NodeEvents['publish'];
}

const FOLDER = 'siderolink';

/** The link of a daemon. Nothing is done before it is joined. */
export function createNodeLink(
  { clock, log, random, settings }: Pick<NodeEnvironment, 'clock' | 'log' | 'random' | 'settings'>,
  { dialer, uniqueToken, start = startSiderolinkNode }: NodeLinkDeps,
): NodeLink {
  let isJoining = false;
  const listeners = new Set<() => void>();
  const node: SiderolinkNode = start(
    { mode: 'auto', stateDir: join(settings.stateDir, FOLDER) },
    { clock, log, random, ...proxied(dialer), ...(uniqueToken === undefined ? {} : { uniqueToken }) },
  );
  return {
    join: (inputs, sinks) => {
      const wasJoining = isJoining;
      isJoining = inputs !== undefined;
      node.update(inputs);
      if (isJoining !== wasJoining) for (const listener of listeners) listener();
      node.direct(sinks);
    },
    isJoining: () => isJoining,
    status: node.status,
    virtualAddress: node.virtualAddress,
    onChanged: (listener) => {
      listeners.add(listener);
      const stop = node.onChanged(listener);
      return () => {
        listeners.delete(listener);
        stop();
      };
    },
    publish: (schema, message) => void node.events.send(schema, message),
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

/** Only what the library needs of a dialer. */
function proxied({ environment, authorities }: NodeLinkDeps['dialer']): NodeLinkDeps['dialer'] {
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(authorities === undefined ? {} : { authorities }),
  };
}
