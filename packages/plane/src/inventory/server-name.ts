import type { ObjectCache } from '@bloomery/kube';
import { ANNOTATIONS, type Server, server } from '@bloomery/model';
import {
  deriveServerName,
  isMeaninglessUuid,
  isOtherMachine,
  isServerName,
  type MachineIdentity,
  normalUuid,
} from './server-identity.ts';

/** Which Server a machine is. */
export interface ResolvedName {
  readonly name: string;
  /** Why it is not the machine's UUID. */
  readonly derived?: 'meaningless' | 'duplicate';
  /** Names under which the machine may have been sent its boot script, before it told all its addresses. */
  readonly candidates: readonly string[];
}

/** What a Server's inventory says about its machine. */
export function identityOf({ metadata, spec }: Server): MachineIdentity {
  const macs = (spec?.hardware?.network?.interfaces ?? []).flatMap(({ mac }) => (mac ? [mac.toLowerCase()] : []));
  const serial = spec?.hardware?.system?.serialNumber ?? '';
  return { uuid: metadata.annotations?.[ANNOTATIONS.reportedUuid] ?? metadata.name, serial, macs };
}

/** Servers that are not named by the UUID that their machines report. */
export function derivedServers(cache: ObjectCache, uuid: string): readonly Server[] {
  return cache.list(server).filter(({ metadata }) => metadata.annotations?.[ANNOTATIONS.reportedUuid] === uuid);
}

/**
 * Find the name of a machine's Server: its UUID, or a derived name when the UUID is meaningless or belongs to another machine.
 * A machine that was derived once keeps its name as long as one of its hardware addresses stays. Undefined when the machine
 * says nothing that could name it. `complete`: the machine told all its addresses and its serial number (its agent did; its
 * boot loader tells only some).
 */
export function resolveServerName(
  machine: MachineIdentity,
  cache: ObjectCache,
  complete: boolean,
): ResolvedName | undefined {
  const uuid = normalUuid(machine.uuid);
  if (uuid === '' || !isServerName(uuid)) return undefined;
  const meaningless = isMeaninglessUuid(uuid);
  const known = derivedServers(cache, uuid).find((other) => {
    const { macs, serial } = identityOf(other);
    return macs.some((mac) => machine.macs.includes(mac)) || (machine.macs.length === 0 && serial === machine.serial);
  });
  if (!meaningless && known === undefined) {
    const holder = cache.get(server, { name: uuid });
    const other = holder !== undefined && isOtherMachine(identityOf(holder), machine, complete);
    if (!other) return { name: uuid, candidates: [uuid] };
  }
  const derived = meaningless ? 'meaningless' : 'duplicate';
  const macs = machine.macs.length === 0 ? [''] : machine.macs;
  const candidates = macs.flatMap((mac) => deriveServerName(machine.serial, mac) ?? []);
  const name = known?.metadata.name ?? candidates[0];
  return name === undefined ? undefined : { name, derived, candidates };
}

/** The name of the Server behind what a machine says to `/ipxe`; undefined when it says nothing useful. */
export function createServerNames(
  cache: ObjectCache,
): (uuid: string, mac: string, serial: string) => string | undefined {
  return (uuid, mac, serial) => {
    const macs = mac === '' ? [] : [mac.toLowerCase()];
    return resolveServerName({ uuid, serial, macs }, cache, false)?.name;
  };
}
