import { join } from 'node:path';
import { type Controller, createStateService, type State } from '@bloomery/cosi';
import { BloomeryError, errorText, isBloomeryError, type Listen, type Service } from '@bloomery/ports';
import { startTalosServer } from '@bloomery/talos';
import { machineEventsProto } from '@bloomery/wire';
import type { ConfigStore } from '../config/config-store.ts';
import { explainBindError } from '../dns/explain-bind-error.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { createApiAccess } from './api-access.ts';
import { certificateController, certificateKey, certificateNames, talosEndpoint } from './certificate-controller.ts';
import { openCertificateStore } from './certificate-store.ts';
import { eventsController } from './events-controller.ts';
import { localCallerUid } from './local-caller.ts';
import { createNodeMachineService } from './machine-service.ts';
import { createNodeEvents } from './node-events.ts';
import type { NodeLogs } from './node-logs.ts';
import { canonicalAddress, type NodeNames, nodeNames } from './node-names.ts';

/** What the API of a node shows and changes. */
export interface NodeApiDeps {
  readonly environment: NodeEnvironment;
  readonly state: State;
  readonly store: ConfigStore;
  /** What `environment.log` is told as well. */
  readonly logs: NodeLogs;
}

/** The running API. */
export interface NodeApi extends Service {
  /** What keeps its certificate up to date and tells of events; to be run with the others. */
  readonly controllers: readonly Controller[];
}

/**
 * Serve the Talos API of the node over mutual TLS, and write DIR/talosconfig for it.
 *
 * @throws BloomeryError BLM_SERVE_LISTEN when the address cannot be bound; BLM_TALOS_CERTIFICATE_MALFORMED when `machine.ca` or the
 * authority in the state folder cannot be read.
 */
export async function startNodeApi(listen: Listen, deps: NodeApiDeps): Promise<NodeApi> {
  const { environment, state, store } = deps;
  const { clock, log, random, settings } = environment;
  const { root, stateDir } = settings;
  const certificates = await openCertificateStore({ stateDir, clock, random, log });
  const names = (): NodeNames => nodeNames(state, root);
  const access = createApiAccess({
    store,
    names,
    listener: canonicalAddress(listen.host),
    localUid: (peer) => localCallerUid(peer, root),
    ownUid: process.geteuid?.() ?? 0,
  });
  const events = createNodeEvents(clock, random);
  if (store.refusal !== undefined) {
    events.publish(machineEventsProto.ConfigLoadErrorEventSchema, { error: store.refusal });
  }
  const startedMs = clock.nowMs();
  const machineService = createNodeMachineService({ ...deps, access, events, clock, settings, names, startedMs });
  const certified = certificateNames(names(), store.active, listen.host);
  const certificate = await certificates.issue(store.active, certified);
  await using stack = new AsyncDisposableStack();
  const server = stack.use(
    await startTalosServer(listen, {
      services: [machineService, createStateService(state, { random, authorize: access.admitReader })],
      certificate,
      clientCertificates: () => (store.isInMaintenance ? 'optional' : 'required'),
      clock,
      log,
    }).catch((error: unknown) => sayWhoListens(listen, error, join(root, 'proc'))),
  );
  // A host whose disk is full keeps its network; the one of the last start is there.
  await certificates.writeTalosconfig(store.active, talosEndpoint(server.address)).catch((error: unknown) => {
    log.warn('talos_api.talosconfig_unwritten', { error: errorText(error) });
  });
  const issuedFor = certificateKey(certified, store.active);
  const owned = stack.move();
  return {
    address: server.address,
    controllers: [certificateController({ certificates, server, root, issuedFor }), eventsController(events)],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The error of an address that cannot be bound, with who has it. */
async function sayWhoListens(listen: Listen, error: unknown, proc: string): Promise<never> {
  if (!isBloomeryError(error, 'BLM_SERVE_LISTEN')) throw error;
  const why = await explainBindError(proc, { transport: 'tcp', listen, error: error.cause });
  const message = `listening for the Talos API: ${why}; stop what listens there, or give --api another address`;
  throw new BloomeryError('BLM_SERVE_LISTEN', message, { facts: { ...listen }, cause: error.cause });
}
