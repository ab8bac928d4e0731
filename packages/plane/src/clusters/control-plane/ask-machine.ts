import type { Machine, ObjectKey } from '@bloomery/model';
import { keyText } from '@bloomery/model';
import { type Clock, errorText, isBloomeryError } from '@bloomery/ports';
import type { TalosApi, TalosCredentials, TalosNode, TalosService } from '@bloomery/talos';
import type { EtcdReport, TalosAnswer } from './observation.ts';

/** Where etcd keeps its data on a Talos machine. */
const MEMBER_DATA = '/var/lib/etcd/member';
/** A machine that answers has this long for each call. */
const CALL_TIMEOUT_MS = 4000;
/** One that was silent before is not waited for as long, so that a dead machine holds up nothing. */
const SILENT_TIMEOUT_MS = 1000;
const MACHINES_MAX = 5000;

/** What is asked beside services and etcd. */
export interface AskOptions {
  /** Whether the disk holds data of etcd. */
  readonly withData: boolean;
  readonly withVersion: boolean;
}

/** Asks machines what the plan has to know, and remembers which address answered. */
export interface MachineAsker {
  /** Never throws: failures are part of the answer. */
  ask(machine: Machine, key: ObjectKey, options: AskOptions): Promise<TalosAnswer>;
}

interface Memory {
  /** Index of the address to ask. */
  readonly turn: number;
  readonly wasSilent: boolean;
}

/** Ask with these credentials. `onUntrusted` is called when a machine and we do not trust each other. */
export function createMachineAsker(deps: { readonly talos: TalosApi; readonly clock: Clock }): {
  with(credentials: TalosCredentials, onUntrusted: () => void): MachineAsker;
} {
  const memories = new Map<string, Memory>();
  const remember = (id: string, memory: Memory): void => {
    memories.delete(id);
    memories.set(id, memory);
    for (const oldest of memories.keys()) if (memories.size > MACHINES_MAX) memories.delete(oldest);
  };
  return {
    with: (credentials, onUntrusted) => ({
      async ask(machine, key, options) {
        const addresses = candidateAddresses(machine);
        if (addresses.length === 0) return { state: 'noAddress' };
        const id = keyText(key);
        const { turn, wasSilent } = memories.get(id) ?? { turn: 0, wasSilent: false };
        const address = addresses[turn % addresses.length] ?? '';
        const timeoutMs = wasSilent ? SILENT_TIMEOUT_MS : CALL_TIMEOUT_MS;
        const answer = await look(deps.talos.node(address, credentials, { timeoutMs }), address, options, onUntrusted);
        const isSilent = answer.state === 'silent';
        remember(id, { turn: isSilent ? (turn + 1) % addresses.length : turn, wasSilent: isSilent });
        return answer;
      },
    }),
  };
}

/** Addresses to ask, the best first: internal ones, then external ones. */
export function candidateAddresses({ status }: Machine): readonly string[] {
  const of = (type: string): readonly string[] =>
    (status?.addresses ?? []).filter((a) => a.type === type).map((a) => a.address);
  return [...new Set([...of('InternalIP'), ...of('ExternalIP')])].slice(0, 8);
}

async function look(
  node: TalosNode,
  address: string,
  { withData, withVersion }: AskOptions,
  onUntrusted: () => void,
): Promise<TalosAnswer> {
  const [services, data, version] = await Promise.all([
    attempt(node.services()),
    withData ? attempt(node.hasEntries(MEMBER_DATA)) : undefined,
    withVersion ? attempt(node.version()) : undefined,
  ]);
  if (!services.ok && isSilence(services.error) && data?.ok !== true) {
    if (isBloomeryError(services.error, 'BLM_TALOS_API_UNTRUSTED')) onUntrusted();
    return { state: 'silent', address, why: errorText(services.error) };
  }
  return {
    state: 'answers',
    address,
    services: services.ok ? services.value : undefined,
    ...(await lookAtEtcd(node, services.ok ? services.value : [])),
    version: version?.ok === true ? version.value.tag : undefined,
    hasData: data?.ok === true ? data.value : undefined,
  };
}

/** An etcd that does not run is not asked: the machine would try to reach it for as long as the call may last. */
async function lookAtEtcd(
  node: TalosNode,
  services: readonly TalosService[],
): Promise<{ readonly etcd: EtcdReport | undefined; readonly etcdWhy: string }> {
  const service = services.find(({ id }) => id === 'etcd');
  if (service !== undefined && service.state !== 'Running') {
    const why = `its etcd is ${service.state}${service.message === '' ? '' : `: ${service.message}`}`;
    return { etcd: undefined, etcdWhy: why };
  }
  const [status, members] = await Promise.all([attempt(node.etcdStatus()), attempt(node.etcdMembers())]);
  if (status.ok && members.ok) return { etcd: { ...status.value, members: members.value }, etcdWhy: '' };
  const failed = status.ok ? members : status;
  return { etcd: undefined, etcdWhy: failed.ok ? '' : errorText(failed.error) };
}

type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

async function attempt<T>(call: Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, value: await call };
  } catch (error) {
    return { ok: false, error };
  }
}

/** The machine said nothing at all: not even no. */
function isSilence(error: unknown): boolean {
  return isBloomeryError(error, 'BLM_TALOS_API_UNREACHABLE') || isBloomeryError(error, 'BLM_TALOS_API_UNTRUSTED');
}
