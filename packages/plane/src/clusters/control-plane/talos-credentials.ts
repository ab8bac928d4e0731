import { createHash } from 'node:crypto';
import { findObject, type ObjectClient } from '@bloomery/kube';
import { keyText, type ObjectKey, secret } from '@bloomery/model';
import { type Clock, errorText, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import {
  ADMIN_ROLE,
  issueCertificate,
  loadCertificateAuthority,
  loadSecretsBundle,
  type TalosCredentials,
  talosKeyPem,
} from '@bloomery/talos';
import { secretText } from '../talos-config/cluster-secrets.ts';

/** Credentials for the Talos API of a cluster, or why there are none. */
export type CredentialsAnswer =
  | { readonly ok: true; readonly credentials: TalosCredentials }
  | { readonly ok: false; readonly why: string };

/** Client certificates for our own calls, one for each cluster, in memory only. */
export interface TalosCredentialStore {
  /** By the key of the Cluster. */
  of(client: Pick<ObjectClient, 'get'>, cluster: ObjectKey): Promise<CredentialsAnswer>;
  /** See at the next question whether the authority is another one now: a machine and we did not trust each other. */
  doubt(cluster: ObjectKey): void;
}

const LIFE_MS = 24 * 3_600_000;
/** For machines whose clock is behind ours. */
const CLOCK_SKEW_MS = 10 * 60_000;
const CLUSTERS_MAX = 1000;

interface Kept {
  readonly credentials: TalosCredentials;
  readonly until: number;
  /** Of the bundle that they were issued from. */
  readonly digest: string;
  isDoubted: boolean;
}

/**
 * Issue what is asked for out of the bundle in Secret `<cluster>-talos`: a certificate of a day, renewed after half of it. So
 * nothing depends on a stored talosconfig that a user may change or let expire. The 1,000 newest clusters are remembered.
 */
export function createTalosCredentialStore(deps: {
  readonly clock: Clock;
  readonly random: RandomBytes;
}): TalosCredentialStore {
  const kept = new Map<string, Kept>();
  return {
    async of(client, cluster) {
      const id = keyText(cluster);
      const have = kept.get(id);
      const isYoung = have !== undefined && deps.clock.nowMs() < have.until;
      if (isYoung && !have.isDoubted) return { ok: true, credentials: have.credentials };
      const name = `${cluster.name}-talos`;
      const text = secretText(await findObject(client, secret, { ...cluster, name }), 'bundle');
      if (text === undefined)
        return { ok: false, why: `Secret ${name} with the secrets of the cluster is not there yet` };
      const digest = createHash('sha256').update(text).digest('base64');
      if (isYoung && have.digest === digest) {
        // One machine that is a stranger must not make us connect anew to all the others.
        have.isDoubted = false;
        return { ok: true, credentials: have.credentials };
      }
      try {
        const credentials = await issue(text, deps);
        kept.delete(id);
        kept.set(id, { credentials, until: deps.clock.nowMs() + LIFE_MS / 2, digest, isDoubted: false });
        for (const oldest of kept.keys()) if (kept.size > CLUSTERS_MAX) kept.delete(oldest);
        return { ok: true, credentials };
      } catch (error) {
        if (!isBloomeryError(error)) throw error;
        return { ok: false, why: `Secret ${name} cannot be used: ${errorText(error)}` };
      }
    },
    doubt(cluster) {
      const have = kept.get(keyText(cluster));
      if (have !== undefined) have.isDoubted = true;
    },
  };
}

async function issue(
  bundleText: string,
  { clock, random }: { readonly clock: Clock; readonly random: RandomBytes },
): Promise<TalosCredentials> {
  const { os } = loadSecretsBundle(bundleText);
  const nowMs = clock.nowMs();
  const issued = await issueCertificate(loadCertificateAuthority(os.crt, os.key), {
    subject: { organizations: [ADMIN_ROLE] },
    algorithm: 'ed25519',
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + LIFE_MS),
    extendedKeyUsages: ['clientAuth'],
    random,
  });
  return { ca: os.crt, crt: issued.certificatePem, key: talosKeyPem(issued.key) };
}
