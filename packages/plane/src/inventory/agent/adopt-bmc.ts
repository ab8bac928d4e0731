import { isIP } from 'node:net';
import { grpcError } from '@bloomery/grpc';
import { findObject, patchObject } from '@bloomery/kube';
import type { JsonObject, Server } from '@bloomery/model';
import { LABELS, type Secret, secret, server } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { AgentCaller, AgentServiceDeps } from './agent-deps.ts';
import { checkTrustedReport, findReportingServer } from './find-reporting-server.ts';

/** What the agent learned or set up at the BMC. Empty and 0 mean not given. */
export interface BmcReport {
  readonly ip: string;
  readonly port: number;
  readonly user: string;
  readonly pass: string;
}

/** Secrets with BMC credentials live here, as upstream's. */
const NAMESPACE = 'default';
const DEFAULT_PORT = 623;
const MAX_TEXT = 256;

/**
 * UpdateBMCInfo: record the BMC's address, and its credentials in the Secret `default/NAME-bmc`. Only from the machine's own
 * boot, for an accepted, free Server; a BMC that a person described is never replaced.
 */
export async function adoptBmc(
  uuid: string,
  report: BmcReport | undefined,
  caller: AgentCaller,
  deps: AgentServiceDeps,
): Promise<void> {
  if (report === undefined) throw grpcError('INVALID_ARGUMENT', 'the request has no BMC');
  const { ip, user, pass } = report;
  if (ip !== '' && (isIP(ip) === 0 || ip === '0.0.0.0' || ip === '::')) {
    throw grpcError('INVALID_ARGUMENT', `BMC address "${ip.slice(0, 64)}" is none`);
  }
  if (report.port > 65_535) throw grpcError('INVALID_ARGUMENT', `BMC port ${report.port} is none`);
  if (user.length > MAX_TEXT || pass.length > MAX_TEXT) throw grpcError('INVALID_ARGUMENT', 'credentials too long');
  const found = await findReportingServer(uuid, caller, deps);
  await checkTrustedReport(found, 'UpdateBMCInfo', caller, deps);
  const secretName = `${found.metadata.name}-bmc`;
  if (isUsers(found, secretName)) {
    throw grpcError('FAILED_PRECONDITION', `the BMC of Server ${found.metadata.name} was given by a user`);
  }
  if (ip === '' && found.spec?.bmc === undefined) throw grpcError('INVALID_ARGUMENT', 'the BMC has no address yet');
  const credentials = user !== '' && pass !== '';
  if (credentials) await keepCredentials(found, secretName, { user, pass }, deps);
  const stored = await patchObject(deps.client, server, { name: found.metadata.name }, ({ spec }) => {
    const port = report.port !== 0 ? report.port : ip !== '' ? DEFAULT_PORT : (spec?.bmc?.port ?? DEFAULT_PORT);
    const source = (key: string): JsonObject => ({ secretKeyRef: { namespace: NAMESPACE, name: secretName, key } });
    return {
      spec: {
        bmc: {
          endpoint: ip === '' ? spec?.bmc?.endpoint : ip,
          port,
          ...(credentials ? { userFrom: source('user'), passFrom: source('pass') } : {}),
        },
      },
    };
  });
  if (!credentials) return;
  const message = 'The BMC was set up by the agent; its credentials are kept in a Secret.';
  deps.events.record(stored, { type: 'Normal', reason: 'BMCAdopted', message });
  deps.timeline.record({
    source: 'bmc',
    about: { server: found.metadata.name },
    stage: 'BmcAdopted',
    severity: 'info',
    event: 'BMCAdopted',
    summary: `BMC at ${stored.spec?.bmc?.endpoint ?? ''} set up by the agent`,
  });
}

/** Any credential that does not come from our own Secret was given by a person. */
function isUsers({ spec }: Server, secretName: string): boolean {
  const bmc = spec?.bmc;
  if (bmc === undefined) return false;
  if ((bmc.user ?? '') !== '' || (bmc.pass ?? '') !== '') return true;
  return [bmc.userFrom, bmc.passFrom].some((source) => {
    const ref = source?.secretKeyRef;
    return source !== undefined && (ref?.name !== secretName || ref.namespace !== NAMESPACE);
  });
}

async function keepCredentials(
  owner: Server,
  name: string,
  credentials: { readonly user: string; readonly pass: string },
  deps: AgentServiceDeps,
): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const data = { user: base64(credentials.user), pass: base64(credentials.pass) };
  const key = { name, namespace: NAMESPACE };
  const { apiVersion, kind, metadata } = owner;
  const draft: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...key,
      labels: { [LABELS.move]: '' },
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true }],
    },
    type: 'Opaque',
    data,
  };
  if ((await findObject(deps.client, secret, key)) === undefined) {
    try {
      await deps.client.create(secret, draft);
      return;
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
    }
  }
  const ownerReferences = draft.metadata.ownerReferences?.map((reference) => ({ ...reference })) ?? [];
  const body = { metadata: { labels: draft.metadata.labels ?? {}, ownerReferences }, data };
  await deps.client.patch(secret, key, { type: 'merge', body });
}
