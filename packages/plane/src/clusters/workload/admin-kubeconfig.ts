import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { parseKubeconfig } from '@bloomery/kube';
import { isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { issueCertificate, loadCertificateAuthority, readPrivateKey, writeYaml } from '@bloomery/talos';

/** PEM certificate and key of the authority that the API server of a cluster believes. */
export interface ClusterAuthority {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What the administrator's kubeconfig of a cluster is made from. */
export interface KubeconfigSource {
  readonly clusterName: string;
  /** Host name or address, IPv6 without brackets, and port. */
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly authority: ClusterAuthority;
  readonly nowMs: number;
}

const YEAR_MS = 365 * 86_400_000;
/** For machines whose clock is behind ours. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** `https://host:port`, IPv6 in brackets. */
export function serverUrl({ host, port }: KubeconfigSource['endpoint']): string {
  return `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/**
 * A kubeconfig with a new key (RSA-2048) and a client certificate of a year for kubernetes-admin in system:masters.
 *
 * @see spec/cluster.md section 7, phase 4
 * @throws BLM_TALOS_CERTIFICATE_MALFORMED when the authority cannot be used
 */
export async function createAdminKubeconfig(source: KubeconfigSource, random: RandomBytes): Promise<string> {
  const { clusterName, authority, nowMs } = source;
  const client = await issueCertificate(loadCertificateAuthority(authority.certificatePem, authority.keyPem), {
    subject: { organizations: ['system:masters'], commonName: 'kubernetes-admin' },
    algorithm: 'rsa-2048',
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + YEAR_MS),
    extendedKeyUsages: ['clientAuth'],
    random,
  });
  const user = `${clusterName}-admin`;
  const context = `${user}@${clusterName}`;
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  const cluster = {
    'certificate-authority-data': base64(authority.certificatePem),
    server: serverUrl(source.endpoint),
  };
  const credentials = {
    'client-certificate-data': base64(client.certificatePem),
    'client-key-data': base64(client.keyPem),
  };
  return writeYaml({
    apiVersion: 'v1',
    clusters: [{ cluster, name: clusterName }],
    contexts: [{ context: { cluster: clusterName, user }, name: context }],
    'current-context': context,
    kind: 'Config',
    preferences: {},
    users: [{ name: user, user: credentials }],
  });
}

/** Whether a kubeconfig that is there still serves. */
export type KubeconfigCheck =
  /** Until `renewAtMs`, when half of its certificate's life is over. */
  | { readonly serves: true; readonly renewAtMs: number }
  /** `why` ends the sentence "it was made again because". */
  | { readonly serves: false; readonly why: string };

/** Look at a kubeconfig that we made. Never throws. Pure. */
export function checkAdminKubeconfig(text: string, source: KubeconfigSource): KubeconfigCheck {
  const stale = (why: string): KubeconfigCheck => ({ serves: false, why });
  try {
    const access = parseKubeconfig(text, 'in the Secret');
    if (access.server !== serverUrl(source.endpoint)) return stale('the endpoint of the control plane changed');
    const authority = new X509Certificate(source.authority.certificatePem);
    if (access.ca === undefined || new X509Certificate(access.ca).fingerprint256 !== authority.fingerprint256) {
      return stale('the authority of the cluster changed');
    }
    const certificate = new X509Certificate(access.cert ?? '');
    if (!certificate.verify(authority.publicKey)) return stale('the authority of the cluster changed');
    if (!certificate.checkPrivateKey(readPrivateKey(access.key ?? '')))
      return stale('its key is of another certificate');
    const fromMs = Date.parse(certificate.validFrom);
    const toMs = Date.parse(certificate.validTo);
    const renewAtMs = toMs - (toMs - fromMs) / 2;
    return source.nowMs >= renewAtMs
      ? stale('half of the life of its certificate was over')
      : { serves: true, renewAtMs };
  } catch (error) {
    if (isBloomeryError(error, 'BLM_KUBECONFIG_INVALID')) return stale(`it was damaged (${error.message})`);
    return stale('its certificate or key was damaged');
  }
}
