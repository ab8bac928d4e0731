import type { BoundAddress, Clock, Listen, Logger, Service } from '@bloomery/ports';
import type { MachineActions } from './machine-actions.ts';
import { readMachineIdentity } from './machine-identity.ts';
import { createMachineService } from './machine-service.ts';
import { obtainServerCertificate, TRUSTD_PORT } from './server-certificate.ts';
import { startTalosServer } from './talos-server.ts';
import { createTrustdService } from './trustd-service.ts';

/** Which machine serves, and where. */
export interface TalosApiServerOptions {
  /** The Talos API; port 50000 on machines. */
  readonly listen: Listen;
  /** Of control-plane machines: where trustd listens; port 50001 of the same host unless given. */
  readonly trustdListen?: Listen;
  /** The machine configuration, YAML. */
  readonly config: string;
  readonly hostname: string;
  /** IP addresses of the machine: callers dial one of them. */
  readonly addresses: readonly string[];
  /** Of machines without the CA's key: trustd of a control-plane machine. */
  readonly trustd?: BoundAddress;
}

export interface TalosApiServerDeps {
  readonly machine: MachineActions;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Serve the Talos API of a machine with the certificates of its own configuration, and trustd beside it on control-plane
 * machines: a worker gets its certificate from there.
 *
 * @throws BloomeryError as obtainServerCertificate and readMachineIdentity; BLM_SERVE_LISTEN when an address cannot be bound.
 */
export async function startTalosApiServer(options: TalosApiServerOptions, deps: TalosApiServerDeps): Promise<Service> {
  const { listen, config, hostname, addresses, trustd } = options;
  const { machine, clock, log } = deps;
  const identity = readMachineIdentity(config);
  const source = { identity, hostname, addresses, clock };
  const certificate = await obtainServerCertificate(trustd === undefined ? source : { ...source, trustd });
  await using cleanup = new AsyncDisposableStack();
  const common = { certificate, clock, log };
  const api = await startTalosServer(listen, {
    ...common,
    services: [createMachineService(machine)],
    clientCertificates: 'required',
  });
  cleanup.use(api);
  if (identity.caKey !== undefined) {
    const services = [createTrustdService({ ...identity, caKey: identity.caKey }, clock)];
    const where = options.trustdListen ?? { host: listen.host, port: TRUSTD_PORT };
    cleanup.use(await startTalosServer(where, { ...common, services, clientCertificates: 'none' }));
  }
  const owned = cleanup.move();
  return { address: api.address, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
