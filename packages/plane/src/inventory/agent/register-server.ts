import { grpcError } from '@bloomery/grpc';
import type { ObjectCache } from '@bloomery/kube';
import { findObject, jsonEqual, kubeTime, patchObject, patchStatus } from '@bloomery/kube';
import type { Json, JsonObject, KindRef } from '@bloomery/model';
import { ANNOTATIONS, type Server, server, serverBinding } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { agentProto } from '@bloomery/wire';
import {
  type Hardware,
  hardwareFromAgent,
  hardwareLabels,
  identityFromAgent,
  lastingHardware,
} from '../server-hardware.ts';
import { isOtherMachine, isServerName, normalUuid } from '../server-identity.ts';
import { identityOf, type ResolvedName, resolveServerName } from '../server-name.ts';
import { judgeWipe } from '../wipe-guard.ts';
import type { AgentCaller, AgentServiceDeps } from './agent-deps.ts';
import { wipeInProgress } from './wipe-progress.ts';

/** What the agent is told to do. */
export interface AgentOrders {
  readonly wipe: boolean;
  readonly insecureWipe: boolean;
  readonly setupBmc: boolean;
  /** Seconds; 0 when nothing is to be wiped. */
  readonly rebootTimeout: number;
}

const NOTHING: AgentOrders = { wipe: false, insecureWipe: false, setupBmc: false, rebootTimeout: 0 };
const MAX_HOSTNAME = 253;

/**
 * CreateServer: make or refresh the Server of this machine and say what its agent is to do.
 * @throws BLM_GRPC_STATUS INVALID_ARGUMENT when the machine says nothing that could name it.
 */
export async function registerServer(
  request: agentProto.CreateServerRequest,
  caller: AgentCaller,
  deps: AgentServiceDeps,
): Promise<AgentOrders> {
  const reported = request.hardware;
  if (reported === undefined) throw grpcError('INVALID_ARGUMENT', 'the request has no hardware');
  const identity = identityFromAgent(reported);
  const resolved = resolveServerName(identity, deps.cache, true);
  if (resolved === undefined) {
    const text = normalUuid(identity.uuid).slice(0, 64);
    const why = isServerName(text) ? 'and has neither serial number nor hardware address' : 'which names no Server';
    throw grpcError('INVALID_ARGUMENT', `the machine reports uuid "${text}" ${why}`);
  }
  const name = preferred(resolved, caller, deps);
  const hardware = hardwareFromAgent(reported);
  const made = await create({ name, hardware, hostname: request.hostname, derived: resolved.derived }, deps);
  const held = made ?? (await deps.client.get(server, { name }));
  if (made === undefined && resolved.derived === undefined && isOtherMachine(identityOf(held), identity, true)) {
    // The other machine with this UUID came a moment ago: the cache does not know it yet.
    const again = resolveServerName(identity, knowing(held, deps.cache), true);
    if (again !== undefined && again.name !== name) {
      const own = { name: again.name, hardware, hostname: request.hostname, derived: again.derived };
      return orders((await create(own, deps)) ?? (await deps.client.get(server, { name: again.name })), caller, deps);
    }
  }
  return orders(made ?? (await refresh(held, hardware, deps)), caller, deps);
}

/** The cache as it will be once it has seen this Server. */
function knowing(known: Server, cache: ObjectCache): Pick<ObjectCache, 'get' | 'list'> {
  const isKnown = (kind: KindRef, name: string): boolean => kind.kind === server.kind && name === known.metadata.name;
  return {
    get: (kind, key) => (isKnown(kind, key.name) ? (known as never) : cache.get(kind, key)),
    list: (kind, namespace) => cache.list(kind, namespace),
  };
}

/** A machine new to us was sent its boot script under a name derived from the one address that its loader told. */
function preferred({ name, derived, candidates }: ResolvedName, caller: AgentCaller, deps: AgentServiceDeps): string {
  if (derived === undefined || candidates[0] !== name || caller.token === undefined) return name;
  return candidates.find((candidate) => deps.sessions.checkAgent(candidate, caller.token).ok) ?? name;
}

interface NewServer {
  readonly name: string;
  readonly hardware: Hardware;
  readonly hostname: string;
  readonly derived: ResolvedName['derived'];
}

/** Undefined when there is a Server of this name already. */
async function create(
  { name, hardware, hostname, derived }: NewServer,
  deps: AgentServiceDeps,
): Promise<Server | undefined> {
  if ((await findObject(deps.client, server, { name })) !== undefined) return undefined;
  const reportedUuid = hardware.system?.uuid ?? '';
  const draft: Server = {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: {
      name,
      labels: hardwareLabels(hardware),
      ...(derived === undefined ? {} : { annotations: { [ANNOTATIONS.reportedUuid]: reportedUuid } }),
    },
    spec: {
      accepted: deps.autoAccept,
      hardware,
      ...(hostname === '' ? {} : { hostname: hostname.slice(0, MAX_HOSTNAME) }),
    },
  };
  let made: Server;
  try {
    made = await deps.client.create(server, draft);
  } catch (error) {
    // Its agent asked twice at once, or somebody made it by hand just now.
    if (isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) return undefined;
    throw error;
  }
  deps.events.record(made, { type: 'Normal', reason: 'Registered', message: 'Registered by its agent.' });
  deps.log.info('server.registered', { server: name, accepted: deps.autoAccept, derived: derived ?? 'no' });
  deps.timeline.record({
    source: 'agent',
    about: { server: name },
    stage: 'Registered',
    severity: derived === undefined ? 'info' : 'warning',
    event: 'Registered',
    summary: derived === undefined ? 'registered by its agent' : `registered under a derived name (UUID ${derived})`,
    facts: { accepted: deps.autoAccept, reportedUuid },
  });
  if (derived !== undefined) warnOfIdentity(made, reportedUuid, derived, deps);
  return made;
}

function warnOfIdentity(
  made: Server,
  uuid: string,
  derived: 'meaningless' | 'duplicate',
  deps: AgentServiceDeps,
): void {
  const name = made.metadata.name;
  const why = derived === 'meaningless' ? 'which is not unique' : `which Server ${uuid} has already`;
  const message = `The machine reports UUID ${uuid}, ${why}; it is named ${name} after its serial number and first address.`;
  deps.events.record(made, { type: 'Warning', reason: 'DuplicateIdentity', message });
  const holder = derived === 'duplicate' ? deps.cache.get(server, { name: uuid }) : undefined;
  if (holder === undefined) return;
  const other = `Another machine reports the UUID of this Server; that machine is named ${name}.`;
  deps.events.record(holder, { type: 'Warning', reason: 'DuplicateIdentity', message: other });
}

/** Keep the inventory current while the Server is free; what changes at every boot does not count. */
async function refresh(found: Server, hardware: Hardware, deps: AgentServiceDeps): Promise<Server> {
  const { name } = found.metadata;
  const have = found.spec?.hardware;
  const known = have !== undefined;
  const asJson = (value: Hardware): Json => lastingHardware(value) as unknown as Json;
  if (known && jsonEqual(asJson(have), asJson(hardware))) return found;
  if (known && (await findObject(deps.client, serverBinding, { name })) !== undefined) return found;
  const stored = await patchObject(deps.client, server, { name }, ({ metadata, spec }) => ({
    metadata: { labels: { ...metadata.labels, ...hardwareLabels(hardware) } },
    spec: { hardware: replacing(spec?.hardware, hardware) },
  }));
  const message = known ? 'The hardware changed; the inventory was refreshed.' : 'The inventory was recorded.';
  deps.events.record(stored, { type: 'Normal', reason: 'InventoryChanged', message });
  return stored;
}

/** A merge patch that leaves exactly `wanted`: sections and fields that are gone are taken away. */
function replacing(have: Hardware | undefined, wanted: Hardware): JsonObject {
  const gone = (a: object | undefined, b: object | undefined): JsonObject =>
    Object.fromEntries(Object.keys(a ?? {}).flatMap((key) => (key in (b ?? {}) ? [] : [[key, null]])));
  const sections = Object.entries(wanted).map(([section, value]) => [
    section,
    { ...gone(Reflect.get(have ?? {}, section), value), ...value },
  ]);
  return Object.fromEntries(sections) as JsonObject;
}

async function orders(found: Server, { address }: AgentCaller, deps: AgentServiceDeps): Promise<AgentOrders> {
  const { name } = found.metadata;
  if (found.spec?.accepted !== true) {
    const message = 'The machine waits in its agent until somebody accepts the Server.';
    deps.events.record(found, { type: 'Normal', reason: 'UnacceptedSeen', message });
  }
  const binding = await findObject(deps.client, serverBinding, { name });
  let wipe = false;
  // The order is given to the Server as it is when it is written down.
  const current = await patchStatus(deps, server, { name }, (now) => {
    const time = kubeTime(deps.clock.nowMs());
    const seen = { lastSeen: time, ...addressOf(now, address) };
    wipe = now.status?.isClean !== true && judgeWipe(now, binding).ok && deps.budget.take(now);
    if (!wipe) return seen;
    const requestedAt = requestTime(now) ?? time;
    return {
      ...seen,
      wipe: { requestedAt, startedAt: time, finishedAt: null },
      conditions: [wipeInProgress(time)],
    };
  });
  const isFree = current.spec?.accepted === true && binding === undefined;
  const setupBmc = deps.autoBmcSetup && isFree && needsBmc(current);
  if (!wipe) return { ...NOTHING, setupBmc };
  const message = `The agent wipes the disks (${deps.insecureWipe ? 'fast' : 'full'}).`;
  deps.events.record(current, { type: 'Normal', reason: 'WipeStarted', message });
  deps.timeline.record({
    source: 'agent',
    about: { server: name },
    stage: 'Wiping',
    severity: 'info',
    event: 'WipeStarted',
    summary: `wiping the disks (${deps.insecureWipe ? 'fast' : 'full'})`,
  });
  return { wipe, insecureWipe: deps.insecureWipe, setupBmc, rebootTimeout: deps.rebootTimeoutMs / 1000 };
}

/** When the wipe that is under way was asked for; undefined when that was one before the last release. */
function requestTime({ status }: Server): string | undefined {
  const { requestedAt, finishedAt } = status?.wipe ?? {};
  if (requestedAt === undefined || finishedAt !== undefined) return undefined;
  return Date.parse(requestedAt) < Date.parse(status?.released?.time ?? '') ? undefined : requestedAt;
}

/** Machines that share a UUID are told apart by their addresses in what they report next, where reports carry no token. */
function addressOf({ metadata, status }: Server, address: string): Pick<NonNullable<Server['status']>, 'addresses'> {
  const have = status?.addresses ?? [];
  const isShared = Object.hasOwn(metadata.annotations ?? {}, ANNOTATIONS.reportedUuid);
  if (!isShared || address === '' || have.some((known) => known.address === address)) return {};
  return { addresses: [...have.filter(({ type }) => type !== 'InternalIP'), { type: 'InternalIP', address }] };
}

/** Also a BMC whose address is known but not its user: the agent was interrupted between the two. */
function needsBmc({ spec }: Server): boolean {
  const bmc = spec?.bmc;
  if (bmc === undefined) return true;
  return [bmc.user, bmc.userFrom, bmc.pass, bmc.passFrom].every((field) => field === undefined);
}
