import { findCondition } from '@bloomery/kube';
import { ANNOTATIONS, type Finding, type ServerBinding } from '@bloomery/model';
import { type BoundMachine, type MachineRule, machineFinding, marksOf, type RuleFinding } from './bound-machine.ts';
import { newestFirst, statementOf } from './evidence.ts';

/** Time in which a machine that fetched its configuration asks for its link address. */
const ASKS_WITHIN_MS = 180_000;
/** The device is looked at every 30 s at least. */
const LOOKS_WITHIN_MS = 120_000;
const STORM_WINDOW_MS = 30 * 60_000;
/** A machine asks once for every boot and for every 275 s of silence: 7 times in this window. */
const STORM_PROVISIONS = 12;
const STORM_DOWNS = 3;
const LINK_REASONS = ['LinkDown', 'LinkNeverUp'];

/** The last thing that the machine was told is no. */
export const linkRefused: MachineRule = ({ binding, entries }) => {
  const last = marksOf(entries, 'LinkRefused', 'LinkProvisioned').at(-1);
  if (last?.event !== 'LinkRefused' || isUp(binding)) return undefined;
  return machineFinding('LinkRefused', {
    cause: `${named(binding)} may not join the link: ${last.summary}.`,
    since: last.time,
    evidence: newestFirst(marksOf(entries, 'LinkRefused')),
    next: 'The machine asks again by itself.',
    do: ['bloomery token list', 'bloomery token create', seeTimeline(binding, 'link')],
    hides: LINK_REASONS,
  });
};

/** It came through the tunnel before, and asks for UDP now, which does not get through. */
export const tunnelModeLost: MachineRule = ({ binding, entries }) => {
  if (isUp(binding) || isTunnelled(binding)) return undefined;
  const provisions = marksOf(entries, 'LinkProvisioned');
  const before = provisions.findLast(({ facts }) => facts?.['mode'] === 'tunnel');
  const lost = provisions.find(({ seq }) => before !== undefined && seq > before.seq);
  if (before === undefined || lost === undefined) return undefined;
  return machineFinding('TunnelModeLost', {
    cause: `${named(binding)} came through the gRPC tunnel before; now it asks for WireGuard over UDP, and nothing arrives.`,
    since: lost.time,
    evidence: [...connected(binding), ...newestFirst([before, lost])],
    next: 'The machine goes on trying over UDP.',
    do: [...useTunnel(binding), seeTimeline(binding, 'link')],
    hides: [...LINK_REASONS, 'LinkStale'],
  });
};

/** It was given its address, or booted, and was never heard. */
export const linkNeverUp: MachineRule = (machine, nowMs) => {
  const { binding, entries } = machine;
  if (binding.status?.link === 'never') return neverHeard(machine);
  if (binding.status?.link === undefined && binding.spec?.siderolink !== undefined) return noDevice(machine, nowMs);
  if (binding.spec?.siderolink !== undefined || isUp(binding)) return undefined;
  const served = marksOf(entries, 'ConfigServed').at(-1);
  if (served === undefined || nowMs - Date.parse(served.time) < ASKS_WITHIN_MS) return undefined;
  return machineFinding('LinkNeverUp', {
    cause: `${named(binding)} fetched its configuration but never asked for its link address: gRPC on the machine port does not get through, or the machine has no siderolink.api argument.`,
    since: served.time,
    evidence: newestFirst(marksOf(entries, 'ConfigServed')),
    next: 'The machine asks again by itself while it runs.',
    do: ['bloomery siderolink status', seeTimeline(binding, 'boot,config,link')],
    hides: LINK_REASONS,
  });
};

/** Whoever got an address is never or up within a look at the device: nobody looks where there is none. */
function noDevice({ binding, entries }: BoundMachine, nowMs: number): RuleFinding | undefined {
  const provisions = marksOf(entries, 'LinkProvisioned');
  const [first] = provisions;
  if (first === undefined || nowMs - Date.parse(first.time) < LOOKS_WITHIN_MS) return undefined;
  return machineFinding('LinkNeverUp', {
    cause: `${named(binding)} got its link address, but Bloomery's own end of the link has not been up since.`,
    since: first.time,
    evidence: newestFirst(provisions),
    next: 'The machine goes on trying, and is linked as soon as Bloomery has a WireGuard device.',
    do: ['bloomery siderolink', seeTimeline(binding, 'link')],
    hides: LINK_REASONS,
  });
}

function neverHeard({ binding, server, entries }: BoundMachine): RuleFinding {
  const isTunnel = isTunnelled(binding);
  const isWanted = server?.metadata.annotations?.[ANNOTATIONS.siderolinkTunnel] === 'true';
  const why = isTunnel
    ? 'nothing comes through its gRPC tunnel: a proxy on the way passes no streams, or closes quiet ones'
    : 'no WireGuard handshake arrives: UDP 51821 is probably blocked on the way';
  const hint = isTunnel
    ? ['bloomery siderolink status']
    : isWanted
      ? ['restart the machine: it uses the tunnel then']
      : useTunnel(binding);
  const provisions = marksOf(entries, 'LinkProvisioned');
  const [condition] = connected(binding);
  const since = condition?.time ?? provisions[0]?.time;
  return machineFinding('LinkNeverUp', {
    cause: `${named(binding)} got its link address, but ${why}.`,
    ...(since === undefined ? {} : { since }),
    evidence: [...connected(binding), ...newestFirst(provisions)],
    next: 'The machine goes on trying, and asks for its address again every few minutes.',
    do: [...hint, seeTimeline(binding, 'link')],
    hides: LINK_REASONS,
  });
}

/** It was linked, and has been silent for longer than WireGuard ever is. */
export const linkStale: MachineRule = ({ binding, server, entries }) => {
  if (binding.status?.link !== 'down') return undefined;
  const { name } = binding.metadata;
  const { lastHandshake } = binding.status;
  const isOff = server?.status?.power === 'off';
  const path = isTunnelled(binding) ? 'its tunnel' : 'UDP';
  return machineFinding('LinkStale', {
    cause: isOff
      ? `${named(binding)} is off, so its link is silent.`
      : `${named(binding)} is silent on the link: no WireGuard handshake for more than 275 s. It is off, has no network, or ${path} does not get through.`,
    ...(lastHandshake === undefined ? {} : { since: lastHandshake }),
    severity: 'warning',
    evidence: [...connected(binding), ...newestFirst(marksOf(entries, 'LinkDown', 'LinkUp', 'LinkProvisioned'))],
    next: 'The machine comes back by itself when it runs and reaches us.',
    do: isOff
      ? [`bloomery power on ${name}`]
      : [`bloomery power status ${name}`, 'bloomery siderolink status', seeTimeline(binding, 'link,talos')],
    hides: LINK_REASONS,
  });
};

/** It asks for its address, or falls silent, more often than machines that are well. */
export const reconnectStorm: MachineRule = ({ binding, entries }, nowMs) => {
  const recent = marksOf(entries, 'LinkProvisioned', 'LinkDown').filter(
    ({ time }) => nowMs - Date.parse(time) < STORM_WINDOW_MS,
  );
  const provisions = recent.filter(({ event }) => event === 'LinkProvisioned');
  const asked = provisions.reduce((sum, { facts }) => sum + 1 + countOf(facts?.['repeats']), 0);
  const downs = recent.length - provisions.length;
  const [first] = recent;
  if (first === undefined || (asked < STORM_PROVISIONS && downs < STORM_DOWNS)) return undefined;
  return machineFinding('ReconnectStorm', {
    cause: `${named(binding)} asked for its link address ${asked} times and fell silent ${downs} times in 30 minutes: it restarts over and over, two machines have its UUID, or the network loses packets.`,
    since: first.time,
    severity: 'warning',
    evidence: newestFirst(recent),
    next: 'Nothing: it goes on like this.',
    do: [`bloomery timeline ${ref(binding)} --since 1h`, `bloomery logs ${binding.metadata.name}`],
    hides: [],
  });
};

function countOf(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}

function isUp({ status }: ServerBinding): boolean {
  return status?.link === 'up';
}

function isTunnelled({ metadata }: ServerBinding): boolean {
  return metadata.annotations?.[ANNOTATIONS.siderolinkMode] === 'tunnel';
}

function connected({ status }: ServerBinding): Finding['evidence'] {
  const condition = findCondition(status?.conditions, 'SideroLinkConnected');
  return condition?.status === 'False' ? [statementOf(condition)] : [];
}

function useTunnel({ metadata }: ServerBinding): readonly string[] {
  return [
    `kubectl annotate server ${metadata.name} ${ANNOTATIONS.siderolinkTunnel}=true   # then restart the machine`,
    'bloomery serve --siderolink-tunnel force   # for all machines',
  ];
}

function seeTimeline(binding: ServerBinding, sources: string): string {
  return `bloomery timeline ${ref(binding)} --source ${sources}`;
}

function ref({ metadata }: ServerBinding): string {
  return `server/${metadata.name}`;
}

function named({ metadata }: ServerBinding): string {
  return `Server ${metadata.name}`;
}
