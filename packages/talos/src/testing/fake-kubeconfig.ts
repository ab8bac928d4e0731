import { grpcError } from '@bloomery/grpc';
import type { Clock } from '@bloomery/ports';
import { issueCertificate, loadCertificateAuthority } from '../certificates/index.ts';
import { readConfig } from '../config/index.ts';
import { field, isYamlMap, scalarString, writeYaml, type YamlMap } from '../yaml/index.ts';

const LIFE_MS = 365 * 86_400_000;

/** The admin kubeconfig that a control-plane machine makes out of its configuration. @throws grpcError on workers */
export async function fakeKubeconfig(config: string, clock: Clock): Promise<string> {
  const cluster = readConfig(config, 'lenient')
    .map(({ tree }) => field(tree, 'cluster'))
    .find(isYamlMap);
  const ca = section(cluster, 'ca');
  const [crt, key] = ['crt', 'key'].map((part) => Buffer.from(text(ca, part), 'base64').toString());
  if (!crt || !key) throw grpcError('FAILED_PRECONDITION', 'kubeconfig is only available on control plane nodes');
  const admin = await issueCertificate(loadCertificateAuthority(crt, key), {
    subject: { commonName: 'admin', organizations: ['system:masters'] },
    algorithm: 'ecdsa-p256',
    notBefore: new Date(clock.nowMs() - 3_600_000),
    notAfter: new Date(clock.nowMs() + LIFE_MS),
    extendedKeyUsages: ['clientAuth'],
  });
  const name = text(cluster, 'clusterName') || 'talos';
  const encoded = (pem: string): string => Buffer.from(pem).toString('base64');
  const server = text(section(cluster, 'controlPlane'), 'endpoint');
  const user = {
    'client-certificate-data': encoded(admin.certificatePem),
    'client-key-data': encoded(admin.keyPem),
  };
  return writeYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': encoded(crt) } }],
    users: [{ name: `admin@${name}`, user }],
    contexts: [{ name: `admin@${name}`, context: { cluster: name, user: `admin@${name}` } }],
    'current-context': `admin@${name}`,
  });
}

function section(map: YamlMap | undefined, key: string): YamlMap | undefined {
  const found = map === undefined ? undefined : field(map, key);
  return isYamlMap(found) ? found : undefined;
}

const text = (map: YamlMap | undefined, key: string): string =>
  (map === undefined ? undefined : scalarString(field(map, key))) ?? '';
