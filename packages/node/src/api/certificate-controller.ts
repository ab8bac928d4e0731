import { createHash } from 'node:crypto';
import type { Controller } from '@bloomery/cosi';
import type { BoundAddress } from '@bloomery/ports';
import { hostPort } from '@bloomery/ports';
import type { TalosServer } from '@bloomery/talos';
import type { NodeConfig } from '../config/node-config.ts';
import { AddressStatus, NodeAddress } from '../resources/addresses.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus } from '../resources/names.ts';
import { CERTIFICATE_RENEWAL_MS, type CertificateStore, type TalosEndpoint } from './certificate-store.ts';
import { canonicalAddress, type NodeNames, nodeNames } from './node-names.ts';

export interface CertificateControllerDeps {
  readonly certificates: CertificateStore;
  readonly server: TalosServer;
  readonly root: string;
  /** What the certificate that serves now was issued for; see `certificateKey`. */
  readonly issuedFor: string;
}

const ALWAYS = ['localhost', '127.0.0.1', '::1'];
const TALOS_PORT = 50_000;
/** The clock may have been set meanwhile. */
const LOOK_AGAIN_MS = 60_000;
const IS_NAME = /^[\x21-\x7e]{1,253}$/;

/** The names that the server certificate is for. @param host that the API is bound to. */
export function certificateNames({ hostnames, addresses }: NodeNames, config: NodeConfig, host: string): string[] {
  const own = isEverywhere(host) ? [] : [canonicalAddress(host)];
  const all = [...hostnames, ...ALWAYS, ...own, ...addresses, ...(config.machine?.certSANs ?? [])];
  return [...new Set(all)].filter((name) => IS_NAME.test(name));
}

/** Changes when another certificate is needed. */
export function certificateKey(names: readonly string[], { machine }: NodeConfig): string {
  const parts = [names, machine?.ca ?? null, machine?.acceptedCAs ?? []];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** Where clients on this host find the API. */
export function talosEndpoint({ host, port }: BoundAddress): TalosEndpoint {
  const node = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return { node, endpoint: port === TALOS_PORT ? node : hostPort({ host: node, port }) };
}

/** Gives the server another certificate when names, addresses or authorities change, and before the old one ends. */
export function certificateController(deps: CertificateControllerDeps): Controller {
  const { certificates, server, root } = deps;
  let issuedFor = deps.issuedFor;
  let issuedAtMs: number | undefined;
  return {
    name: 'secrets.APIController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: HostnameStatus, kind: 'weak' },
      { definition: NodeAddress, kind: 'weak' },
      { definition: AddressStatus, kind: 'weak' },
    ],
    outputs: [],
    reconcile: async (context) => {
      context.wakeAfter(LOOK_AGAIN_MS);
      const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
      if (config === undefined) return;
      issuedAtMs ??= context.clock.nowMs();
      const names = certificateNames(nodeNames(context, root), config, server.address.host);
      const key = certificateKey(names, config);
      const isOld = context.clock.nowMs() - issuedAtMs > CERTIFICATE_RENEWAL_MS;
      if (key === issuedFor && !isOld) return;
      server.setCertificate(await certificates.issue(config, names));
      await certificates.writeTalosconfig(config, talosEndpoint(server.address));
      issuedFor = key;
      issuedAtMs = context.clock.nowMs();
      context.log.info('talos_api.certificate_issued', { names });
    },
  };
}
