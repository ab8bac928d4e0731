import { join } from 'node:path';
import { type Controller, createStateService, type State } from '@bloomery/cosi';
import { BloomeryError, errorText, isBloomeryError, type Listen, type Service } from '@bloomery/ports';
import { startTalosServer, type TalosServer } from '@bloomery/talos';
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
  /** Aborted: no address is waited for any more. */
  readonly signal: AbortSignal;
}

const ADDRESS_RETRY_MS = 1_000;

/** The running API. */
export interface NodeApi extends Service {
  /** What keeps its certificate up to date and tells of events; to be run with the others. */
  readonly controllers: readonly Controller[];
}

/**
 * Serve the Talos API of the node over mutual TLS, and write DIR/talosconfig for it. Where the host does not have the address yet, this
 * waits for it.
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
  const serve = (): Promise<TalosServer> =>
    startTalosServer(listen, {
      services: [machineService, createStateService(state, { random, authorize: access.admitReader })],
      certificate,
      clientCertificates: () => (store.isInMaintenance ? 'optional' : 'required'),
      clock,
      log,
    });
  const server = stack.use(await whenAddressIsThere(serve, listen, { environment, signal: deps.signal }));
  // Who came without a certificate came to a node in maintenance.
  const endMaintenance = (): void => {
    if (!store.isInMaintenance) server.cutStrangers();
  };
  stack.defer(store.watch(endMaintenance));
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

interface Waiting {
  readonly environment: NodeEnvironment;
  readonly signal: AbortSignal;
}

/**
 * Serve on an address that the host may get only later, from this daemon perhaps: until then its network goes on without the API.
 *
 * @throws BloomeryError BLM_SERVE_LISTEN, with who has the port.
 */
async function whenAddressIsThere(
  serve: () => Promise<TalosServer>,
  listen: Listen,
  { environment: { clock, log, settings }, signal }: Waiting,
): Promise<TalosServer> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await serve();
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_SERVE_LISTEN')) throw error;
      const { cause } = error;
      const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'EADDRNOTAVAIL';
      if (!isMissing || signal.aborted) throw await withOwner(listen, cause, join(settings.root, 'proc'));
      if (tries === 0) log.warn('talos_api.waits_for_address', { address: listen.host, flag: '--api' });
      await clock.sleep(ADDRESS_RETRY_MS, signal);
    }
  }
}

/** The error of an address that cannot be bound, with who has it. */
async function withOwner(listen: Listen, cause: unknown, proc: string): Promise<BloomeryError> {
  const why = await explainBindError(proc, { transport: 'tcp', listen, error: cause });
  const message = `listening for the Talos API: ${why}; give --api another address`;
  return new BloomeryError('BLM_SERVE_LISTEN', message, { facts: { ...listen }, cause });
}
