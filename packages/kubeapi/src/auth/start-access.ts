import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import type { ApiEngine } from '../api-engine.ts';
import { rootCertificates, startNamespaceContents } from '../controllers/namespace-contents.ts';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import { type LiveCredentialSource, type LiveCredentials, startCredentials } from './renew-credentials.ts';
import { tokensOfFile } from './token-file.ts';
import { createServiceAccountTokens, type ServiceAccountTokens } from './tokens/service-account-tokens.ts';
import { loadSigningKey } from './tokens/signing-key.ts';
import { startTokenSecrets } from './tokens/token-secrets.ts';

/** Who may come in, and with what. */
export interface Access {
  readonly credentials: LiveCredentials;
  readonly authenticator: Authenticator;
  readonly accountTokens: ServiceAccountTokens;
  /** Resolves when the Secrets of service account tokens are filled in. */
  idle(): Promise<void>;
  stop(): void;
}

/** Load or make all credentials of a data directory and look after them: certificates, static tokens, service account tokens. */
export async function startAccess(
  source: LiveCredentialSource,
  deps: { readonly engine: ApiEngine; readonly clock: Clock; readonly log: Logger; readonly random: RandomBytes },
): Promise<Access> {
  const { engine, clock, log, random } = deps;
  const credentials = await startCredentials(source, { clock, log });
  const key = loadSigningKey(source.dir);
  const accountTokens = createServiceAccountTokens({ store: engine.store, key, clock, random });
  const staticTokens = tokensOfFile(credentials.current.tokenFile, clock, log);
  const authenticator = createAuthenticator({ clock, staticTokens, accountTokens });
  const secrets = startTokenSecrets({
    ...engine,
    clock,
    log,
    accountTokens,
    authorityPem: () => credentials.current.caPem,
  });
  const certificates = startNamespaceContents(
    { ...engine, clock, log },
    rootCertificates(() => credentials.current.caPem),
  );
  return {
    credentials,
    authenticator,
    accountTokens,
    async idle() {
      await Promise.all([secrets.idle(), certificates.idle()]);
    },
    stop() {
      credentials.stop();
      secrets.stop();
      certificates.stop();
    },
  };
}
