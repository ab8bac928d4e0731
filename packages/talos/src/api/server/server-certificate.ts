import { createGrpcClient } from '@bloomery/grpc';
import { BloomeryError, type BoundAddress, type Clock, hostPort } from '@bloomery/ports';
import { securityProto } from '@bloomery/wire';
import {
  createCertificateRequest,
  generatePrivateKey,
  issueCertificate,
  loadCertificateAuthority,
  pkcs8Pem,
  readCertificate,
} from '../../certificates/index.ts';
import { talosApiError } from '../talos-api-error.ts';
import type { MachineIdentity } from './machine-identity.ts';

/** What a server of the Talos API proves itself with, and whom it believes. PEM texts. */
export interface ServerCertificate {
  readonly ca: string;
  readonly crt: string;
  readonly key: string;
}

/** For whom a certificate is, and where it may come from. */
export interface ServerCertificateSource {
  readonly identity: MachineIdentity;
  readonly hostname: string;
  /** IP addresses of the machine: callers dial one of them and want it in the certificate. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  /** trustd of a control-plane machine: asked by a machine without the CA's key. Its port is TRUSTD_PORT. */
  readonly trustd?: BoundAddress;
}

/** Port of trustd on control-plane machines. */
export const TRUSTD_PORT = 50_001;

const LIFE_MS = 365 * 86_400_000;
const TIMEOUT_MS = 10_000;

/** From when to when certificates of servers hold; clocks may differ by an hour. */
export const serverValidity = (clock: Clock): { readonly notBefore: Date; readonly notAfter: Date } => ({
  notBefore: new Date(clock.nowMs() - 3_600_000),
  notAfter: new Date(clock.nowMs() + LIFE_MS),
});

/**
 * The server certificate of a machine: signed by the machine itself where its configuration has the CA's key, else by trustd.
 *
 * @throws BloomeryError BLM_TALOS_API_UNREACHABLE, BLM_TALOS_API_REFUSED and BLM_TALOS_API_UNTRUSTED as trustd answers;
 * BLM_TALOS_CONFIG_INVALID when there is neither a key nor a trustd.
 */
export async function obtainServerCertificate(source: ServerCertificateSource): Promise<ServerCertificate> {
  const { identity, hostname, addresses, clock, trustd } = source;
  const names = [...new Set([...addresses, hostname, ...identity.names])];
  const subject = { commonName: hostname };
  if (identity.caKey !== undefined) {
    const { certificatePem, keyPem } = await issueCertificate(loadCertificateAuthority(identity.ca, identity.caKey), {
      ...serverValidity(clock),
      subject,
      names,
      algorithm: 'ed25519',
      extendedKeyUsages: ['serverAuth'],
    });
    return { ca: identity.ca, crt: certificatePem, key: keyPem };
  }
  if (trustd === undefined) {
    const message = 'certifying the Talos API of a machine: no machine.ca.key, and no trustd to ask';
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', message);
  }
  const key = await generatePrivateKey('ed25519');
  const request = createCertificateRequest({ subject, key, names });
  return { ca: identity.ca, crt: await askTrustd(request, identity, trustd, clock), key: pkcs8Pem(key) };
}

async function askTrustd(
  request: string,
  { ca, token }: MachineIdentity,
  address: BoundAddress,
  clock: Clock,
): Promise<string> {
  const client = createGrpcClient({ address, clock, tls: { ca, minVersion: 'TLSv1.3' } });
  try {
    const answer = await client
      .service(securityProto.SecurityService)
      .certificate({ csr: Buffer.from(request) }, { metadata: { token }, timeoutMs: TIMEOUT_MS });
    const crt = Buffer.from(answer.crt).toString();
    readCertificate(crt);
    return crt;
  } catch (error) {
    throw talosApiError(error, { method: 'Certificate', address: hostPort(address) });
  } finally {
    client.close();
  }
}
