import type { EventRecorder, ObjectClient } from '@bloomery/kube';
import type { Server } from '@bloomery/model';
import type { BoundAddress, Clock, Logger } from '@bloomery/ports';
import type {
  BootSessions,
  HttpRoute,
  LinkApiOf,
  MachineAnswer,
  MachineRequest,
  Refusal,
  ServerName,
} from '../boot/index.ts';
import type { TimelineRecorder } from '../insight/index.ts';
import { planConfig } from './plan-config.ts';
import { readConfigSources } from './read-config-input.ts';
import { createRefusalLimit, type RefusalLimit } from './refusal-limit.ts';

/** What `/configdata` needs. */
export interface MetadataRouteDeps {
  /** Read directly, not through a cache: the configuration decides what a machine becomes. */
  readonly client: ObjectClient;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly sessions: BootSessions;
  /** The same identity mapping as everywhere: lower case, derived for zero and duplicate UUIDs. */
  readonly serverName: ServerName;
  /** What machines are told. */
  readonly endpoint: BoundAddress;
  /** Our address on the link, IPv6 without prefix length; undefined while there is none. */
  readonly linkAddress: () => string | undefined;
  /** Absent: plain text, no tokens, UDP. */
  readonly linkApi?: LinkApiOf;
  readonly clock: Clock;
  readonly log: Logger;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' } as const;
const YAML = { 'content-type': 'application/yaml; charset=utf-8', 'cache-control': 'no-store' } as const;
const MAX_UUID_CHARACTERS = 128;

/**
 * `/configdata?uuid=U&t=TOKEN`: a machine's configuration, only while its boot is expected. Refusals are Events and marks
 * on the timeline; bodies are never logged.
 */
export function createMetadataRoute(deps: MetadataRouteDeps): HttpRoute {
  const limit = createRefusalLimit(deps.clock);
  return { prefix: '/configdata', handle: (request) => answer(deps, limit, request) };
}

async function answer(deps: MetadataRouteDeps, limit: RefusalLimit, request: MachineRequest): Promise<MachineAnswer> {
  const { query, address } = request;
  const uuid = (query.get('uuid') ?? '').slice(0, MAX_UUID_CHARACTERS);
  if (uuid === '') return text(500, 'received metadata request with empty uuid');
  if (limit.isExhausted(address)) return text(429, 'too many refused requests from this address');
  const first = (...names: readonly string[]): string =>
    names.map((n) => query.get(n)).find((v) => v !== null && v !== '') ?? '';
  const name = deps.serverName(uuid, first('m', 'mac'), first('s', 'serial')) ?? uuid.toLowerCase();
  const sources = await readConfigSources(deps.client, name);
  if (!sources.ok) {
    if (sources.status === 404) limit.refused(address);
    deps.log.warn('metadata.unavailable', { server: name, address, status: sources.status, why: sources.text });
    return text(sources.status, sources.text);
  }
  const linkApi = deps.linkApi?.(name);
  const plan = planConfig({
    ...sources.input,
    endpoint: deps.endpoint,
    linkAddress: deps.linkAddress(),
    ...(linkApi === undefined ? {} : { linkApi }),
  });
  if (!plan.ok) {
    failed(deps, sources.server, plan.text);
    return text(plan.status, plan.text);
  }
  // Asked last, because a yes starts the time within which the machine may ask again.
  const verdict = deps.sessions.checkConfig(name, query.get('t') ?? undefined, address);
  if (!verdict.ok) {
    limit.refused(address);
    refused(deps, sources.server, address, verdict.reason);
    return text(403, `the configuration of ${name} is not for this request`);
  }
  if (request.method === 'GET') served(deps, sources.server, address, plan.warnings);
  return { status: 200, headers: YAML, body: plan.body };
}

function served(deps: MetadataRouteDeps, server: Server, address: string, warnings: readonly string[]): void {
  const { name } = server.metadata;
  const facts = warnings.length === 0 ? {} : { warnings: warnings.slice(0, 10) };
  deps.timeline.record({
    source: 'config',
    about: { server: name, address },
    stage: 'Config',
    severity: warnings.length === 0 ? 'info' : 'warning',
    event: 'ConfigServed',
    summary: `configuration for ${address}${warnings.length === 0 ? '' : ', with parts that Talos 1.13 does not know'}`,
    facts,
  });
  deps.events.record(server, {
    type: 'Normal',
    reason: 'ConfigServed',
    message: `The configuration was given to ${address}.`,
  });
  deps.log.info('metadata.served', { server: name, address, ...facts });
}

function refused(deps: MetadataRouteDeps, server: Server, address: string, reason: Refusal): void {
  const { name } = server.metadata;
  deps.timeline.record({
    source: 'config',
    about: { server: name, address },
    stage: 'Config',
    severity: 'warning',
    event: 'ConfigRefused',
    summary: `configuration refused to ${address}: ${reason}`,
    facts: { reason },
  });
  deps.events.record(server, {
    type: 'Warning',
    reason: 'ConfigRefused',
    message: `The configuration was asked for from ${address} and refused: ${reason}.`,
  });
  deps.log.warn('metadata.refused', { server: name, address, reason });
}

function failed(deps: MetadataRouteDeps, server: Server, why: string): void {
  deps.timeline.record({
    source: 'config',
    about: { server: server.metadata.name },
    stage: 'Config',
    severity: 'error',
    event: 'ConfigFailed',
    summary: why,
  });
  deps.events.record(server, { type: 'Warning', reason: 'ConfigFailed', message: why });
  deps.log.error('metadata.failed', { server: server.metadata.name, why });
}

const text = (status: number, body: string): MachineAnswer => ({ status, headers: TEXT, body: `${body}\n` });
