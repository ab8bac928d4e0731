import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClientIdentity } from '../client-identity.ts';

/** An API under test: the real kube-apiserver, or ours. */
export interface Target extends AsyncDisposable {
  readonly name: 'kube-apiserver' | 'bloomery';
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly caPem: string;
  readonly caKeyPem: string;
  /** A kubeconfig of an administrator. */
  readonly kubeconfig: string;
  readonly admin: ClientIdentity;
  /** Bearer tokens of the token file: a user `reader` without any right, and an administrator. */
  readonly tokens: { readonly reader: string; readonly admin: string };
  /** A client certificate of the authority that the API trusts. */
  issue(commonName: string, organizations?: readonly string[]): Promise<ClientIdentity>;
  /** What the processes wrote, for a failed start. */
  log(): string;
}

/** Lines of a token file: token, user, uid, groups. */
export const TOKENS = { reader: 'reader-token-of-conformance', admin: 'admin-token-of-conformance' } as const;
export const TOKEN_FILE = `${TOKENS.reader},reader,uid-reader,"readers,testers"\n${TOKENS.admin},token-admin,,"system:masters"\n`;

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery');

/** Where `scripts/setup peers` puts a program. */
export const peer = (name: string): string => join(cache, 'peers', name);
/** The kubectl of 1.34, and Debian's of 1.20. */
export const KUBECTLS = { current: peer('kubectl'), old: join(cache, 'kubectl-1.20') } as const;
