import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
  loadCertificateAuthority,
  pkcs8Pem,
  readCertificate,
  type ServerCertificate,
  serverValidity,
  talosKeyPem,
  writeYaml,
} from '@bloomery/talos';
import { readIfThere, writeDurably } from '../config/durable-file.ts';
import type { NodeConfig } from '../config/node-config.ts';

/** The certificates of the node's API: its own authority, kept in the state folder, and those of the machine configuration. */
export interface CertificateStore {
  /** A server certificate for these names, and whom the server believes. Of `machine.ca` where its key is there, else of our own. */
  issue(config: NodeConfig, names: readonly string[]): Promise<ServerCertificate>;
  /** Write DIR/talosconfig: an administrator of our own authority, so that it works whatever the configuration says. */
  writeTalosconfig(config: NodeConfig, endpoint: TalosEndpoint): Promise<void>;
}

/** Where the API is found. */
export interface TalosEndpoint {
  /** An address to dial; `host:port` unless the port is Talos' own. */
  readonly endpoint: string;
  /** The same without its port. */
  readonly node: string;
}

export interface CertificateStoreOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
}

/** Certificates hold for a year: what serves, and DIR/talosconfig, is made anew after this time. */
export const CERTIFICATE_RENEWAL_MS = 300 * 86_400_000;
const YEAR_MS = 365 * 86_400_000;
const AUTHORITY_YEARS = 10;
/** What is looked at again only so much later has to hold until then, and some days more. */
const RENEW_MS = CERTIFICATE_RENEWAL_MS + 10 * 86_400_000;

/** Open the certificates, making the authority at the first start, and again when it was damaged. @throws the errors of the file system */
export async function openCertificateStore(options: CertificateStoreOptions): Promise<CertificateStore> {
  const { stateDir, clock, log } = options;
  let authority = await ownAuthority(options);
  /** A machine without a battery starts in 1970: what it makes then has ended as soon as its clock is set. */
  const currentAuthority = async (): Promise<CertificateAuthority> => {
    if (endsSoon(authority.certificatePem, clock)) authority = await ownAuthority(options);
    return authority;
  };
  return {
    issue: async (config, names) => {
      const own = await currentAuthority();
      const { ca, acceptedCAs = [] } = config.machine ?? {};
      const signer = ca === undefined || ca.key === '' ? own : (machineAuthority(ca, log) ?? own);
      const { certificatePem, keyPem } = await issueCertificate(signer, {
        ...serverValidity(clock),
        subject: { commonName: names[0] ?? 'node' },
        names,
        algorithm: 'ed25519',
        extendedKeyUsages: ['serverAuth'],
      });
      const configured = [ca?.crt ?? '', ...acceptedCAs.map(({ crt }) => crt)].filter(isCertificate);
      return { ca: joined([own.certificatePem, ...configured]), crt: certificatePem, key: keyPem };
    },
    writeTalosconfig: async (config, { endpoint, node }) => {
      const own = await currentAuthority();
      const client = await adminCertificate(options, own);
      const encoded = (pem: string): string => Buffer.from(pem).toString('base64');
      const name = config.cluster?.name ?? 'bloomery-node';
      const context = {
        endpoints: [endpoint],
        nodes: [node],
        ca: encoded(joined([own.certificatePem, config.machine?.ca?.crt ?? ''].filter(isCertificate))),
        crt: encoded(client.crt),
        key: encoded(client.key),
      };
      const text = writeYaml({ context: name, contexts: { [name]: context } });
      const file = join(stateDir, 'talosconfig');
      // Nothing to write is nothing that a full disk can refuse.
      if ((await readIfThere(file)) !== text) await writeDurably(file, text, 0o600);
    },
  };
}

/** undefined when it cannot be used: the node stays reachable with its own authority. */
function machineAuthority({ crt, key }: { crt: string; key: string }, log: Logger): CertificateAuthority | undefined {
  try {
    return loadCertificateAuthority(crt, key);
  } catch (error) {
    log.warn('talos_api.machine_ca_unusable', { error: errorText(error) });
    return undefined;
  }
}

/** What is none would keep the listener from starting. */
function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}

const joined = (pems: readonly string[]): string =>
  [...new Set(pems.map((pem) => pem.trim()))].filter((pem) => pem !== '').join('\n');

interface Pair {
  readonly crt: string;
  readonly key: string;
}

/** DIR/pki/NAME.crt and .key; undefined when they have to be made: not there, soon over, or damaged, which is said. */
async function usablePair({ stateDir, clock, log }: CertificateStoreOptions, name: string): Promise<Pair | undefined> {
  const file = join(stateDir, 'pki', name);
  const [crt, key] = await Promise.all([readIfThere(`${file}.crt`), readIfThere(`${file}.key`)]);
  if (crt === undefined || key === undefined) return undefined;
  try {
    loadCertificateAuthority(crt, key);
    return endsSoon(crt, clock) ? undefined : { crt, key };
  } catch (error) {
    log.warn('talos_api.certificate_damaged', { files: `${file}.crt, .key`, error: errorText(error) });
    return undefined;
  }
}

/** The key first: a certificate without one would look as if it had been lost. */
async function writePair(stateDir: string, name: string, pair: Pair): Promise<void> {
  await mkdir(join(stateDir, 'pki'), { recursive: true, mode: 0o700 });
  await writeDurably(join(stateDir, 'pki', `${name}.key`), pair.key, 0o600);
  await writeDurably(join(stateDir, 'pki', `${name}.crt`), pair.crt, 0o600);
}

async function ownAuthority(options: CertificateStoreOptions): Promise<CertificateAuthority> {
  const { stateDir, clock, random } = options;
  const kept = await usablePair(options, 'ca');
  if (kept !== undefined) return loadCertificateAuthority(kept.crt, kept.key);
  const authority = await createCertificateAuthority({
    subject: { organizations: ['bloomery-node'] },
    algorithm: 'ed25519',
    notBefore: serverValidity(clock).notBefore,
    notAfter: new Date(clock.nowMs() + AUTHORITY_YEARS * YEAR_MS),
    random,
  });
  await writePair(stateDir, 'ca', { crt: authority.certificatePem, key: pkcs8Pem(authority.key) });
  return authority;
}

async function adminCertificate(options: CertificateStoreOptions, own: CertificateAuthority): Promise<Pair> {
  const { stateDir, clock, random } = options;
  const kept = await usablePair(options, 'admin');
  if (kept !== undefined && isOf(kept.crt, own)) return kept;
  const { certificatePem, key } = await issueCertificate(own, {
    ...serverValidity(clock),
    subject: { organizations: ['os:admin'] },
    algorithm: 'ed25519',
    extendedKeyUsages: ['clientAuth'],
    random,
  });
  const made = { crt: certificatePem, key: talosKeyPem(key) };
  await writePair(stateDir, 'admin', made);
  return made;
}

const endsSoon = (crt: string, clock: Clock): boolean =>
  readCertificate(crt).notAfter.getTime() < clock.nowMs() + RENEW_MS;

/** Authorities have key ids of their own; a new authority makes the old client's certificate worthless. */
function isOf(crt: string, authority: CertificateAuthority): boolean {
  return new X509Certificate(crt).verify(createPublicKey(authority.certificatePem));
}
