import { type KernelLogSender, startKernelLogSender } from '../kernel-log/kernel-log-sender.ts';
import { bootTimeNs, kernelLogReader } from '../kernel-log/read-kernel-log.ts';
import { isSiderolinkAddress } from '../network-prefix.ts';
import { startTunnelRelay } from '../tunnel/tunnel-relay.ts';
import { startEventSender } from './event-sender.ts';
import { splitHostPort } from './host-port.ts';
import { startLinkDevice } from './link-device.ts';
import { type LinkManager, startLinkManager } from './link-manager.ts';
import type { LinkSinkChoice, SiderolinkNodeDeps, SiderolinkNodeOptions, StartSiderolinkNode } from './node-options.ts';

/** How long events that are left may hold up leaving. */
const EVENTS_DRAIN_MS = 5_000;
/** As Talos names them; a firewall of the machine must know both. */
const INTERFACE = { udp: 'siderolink', tunnel: 'siderolinktun' } as const;

/**
 * Join the link as Talos does and stay joined: Provision, WireGuard by UDP or through the gRPC tunnel as the server says, and
 * over it the kernel's log and events. Returns at once.
 *
 * @throws BloomeryError BLM_LINK_CONFIG_INVALID for a kernel log destination that is none; nothing else.
 * @see spec/siderolink.md section 11
 */
export const startSiderolinkNode: StartSiderolinkNode = (options, deps) => {
  const manager: LinkManager = startLinkManager(options.inputs, managerDeps(options, deps));
  const isReachable = (host: string): boolean => !isSiderolinkAddress(host) || manager.status().connected;
  let sinks: LinkSinkChoice = options;
  const events = startEventSender(sinks.eventSink, {
    ...deps,
    isReachable: () => sinks.eventSink === undefined || isReachable(splitHostPort(sinks.eventSink).host),
  });
  let kernelLog: KernelLogSender | undefined;
  try {
    kernelLog = startKernelLog(sinks, { ...deps, isReachable });
  } catch (error) {
    events[Symbol.dispose]();
    void manager[Symbol.asyncDispose]();
    throw error;
  }
  let way = '';
  manager.onChanged(({ connected, linkName, nodeAddress }) => {
    const next = `${connected} ${linkName} ${nodeAddress}`;
    if (next === way) return;
    way = next;
    kernelLog?.reconnect();
    events.reconnect();
  });
  return {
    status: manager.status,
    onChanged: manager.onChanged,
    update: manager.update,
    virtualAddress: manager.virtualAddress,
    direct: (next) => {
      if (destinationsOf(next) !== destinationsOf(sinks)) {
        const last = kernelLog;
        kernelLog = startKernelLog(next, { ...deps, isReachable });
        void last?.[Symbol.asyncDispose]();
      }
      sinks = next;
      events.redirect(next.eventSink);
    },
    events,
    [Symbol.asyncDispose]: async () => {
      await kernelLog?.[Symbol.asyncDispose]();
      if (sinks.eventSink !== undefined && manager.status().connected) await events.drained(EVENTS_DRAIN_MS);
      events[Symbol.dispose]();
      await manager[Symbol.asyncDispose]();
    },
  };
};

const destinationsOf = ({ kernelLogDestinations = [] }: LinkSinkChoice): string => kernelLogDestinations.join('\n');

function managerDeps({ mode, stateDir }: SiderolinkNodeOptions, deps: SiderolinkNodeDeps) {
  return {
    ...deps,
    startRelay: startTunnelRelay,
    startDevice: (isTunnel: boolean, privateKey: string) =>
      startLinkDevice({ mode, stateDir, privateKey, name: isTunnel ? INTERFACE.tunnel : INTERFACE.udp }, deps),
  };
}

function startKernelLog(
  { kernelLogDestinations: destinations = [] }: LinkSinkChoice,
  deps: SiderolinkNodeDeps & { readonly isReachable: (host: string) => boolean },
): KernelLogSender | undefined {
  if (destinations.length === 0) return undefined;
  const source = deps.kernelLog ?? kernelLogReader(deps.clock);
  return startKernelLogSender({ destinations, source, bootTimeNs: bootTimeNs(deps.clock) }, deps);
}
