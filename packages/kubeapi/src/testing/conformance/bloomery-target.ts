import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@bloomery/ports';
import { loadCertificateAuthority } from '@bloomery/talos';
import { identityOf } from '../client-identity.ts';
import { startChild } from './child-process.ts';
import { type Target, TOKEN_FILE, TOKENS } from './target.ts';

const BLOOMERY = join(import.meta.dirname, '../../../../../bloomery');
const LISTENERS = ['kube', '', 'tftp', 'dhcp', 'siderolink', 'metrics'].map((name) =>
  name === '' ? '--listen' : `--${name}-listen`,
);

/** Start `./bloomery serve` on loopback with a fresh data directory. */
export async function startBloomery(): Promise<Target> {
  const home = mkdtempSync(join(tmpdir(), 'conformance-bloomery-'));
  const dir = join(home, 'data');
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(join(dir, 'pki'), { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, 'pki/tokens.csv'), TOKEN_FILE, { mode: 0o600 });
  const args = ['serve', '--data', dir, ...LISTENERS.flatMap((flag) => [flag, '127.0.0.1:0'])];
  const child = startChild(BLOOMERY, [...args, '--wireguard', 'off', '--disable-dhcp-proxy'], { XDG_STATE_HOME: home });
  cleanup.use(child);
  await until('bloomery serve is ready', () => {
    if (child.process.exitCode !== null) throw new Error(`bloomery serve ended: ${child.output()}`);
    return existsSync(join(dir, 'endpoints.json'));
  });
  const pki = (name: string): string => readFileSync(join(dir, 'pki', name), 'utf8');
  const authority = loadCertificateAuthority(pki('ca.crt'), pki('ca.key'));
  const owned = cleanup.move();
  return {
    name: 'bloomery',
    url: `https://${JSON.parse(readFileSync(join(dir, 'endpoints.json'), 'utf8')).kube}`,
    caPem: authority.certificatePem,
    caKeyPem: authority.keyPem,
    kubeconfig: join(dir, 'kubeconfig'),
    admin: await identityOf(authority, 'conformance-admin', { organizations: ['system:masters'] }),
    tokens: TOKENS,
    issue: (commonName, organizations = []) => identityOf(authority, commonName, { organizations }),
    log: () => child.output(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
