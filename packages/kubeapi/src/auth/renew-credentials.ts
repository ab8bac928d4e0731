import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, errorText, type Logger } from '@bloomery/ports';
import { type CredentialSource, loadCredentials, type ServerCredentials } from './credentials.ts';

/** Credentials that are looked after while the process runs. */
export interface LiveCredentials {
  /** The newest. */
  readonly current: ServerCredentials;
  /** Calls back with each change, until the returned function is called. */
  onReplaced(listener: (next: ServerCredentials) => void): () => void;
  /** What a person should do something about, in a sentence each; empty: nothing. */
  warnings(): readonly string[];
  stop(): void;
}

/** Where credentials are; the names are asked for again at each look. */
export interface LiveCredentialSource extends Omit<CredentialSource, 'names'> {
  readonly names: () => readonly string[];
  /** How often files, names and ends are looked at, in milliseconds; an hour unless given. */
  readonly lookMs?: number;
}

const LOOK_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** An authority that ends within this is warned about: its certificate is in every kubeconfig, so replacing it takes time. */
const AUTHORITY_WARNING_MS = 180 * DAY_MS;

/**
 * Load or make the credentials and keep them good: once an hour, certificates that come to their end, lack a name that this
 * host now has, or were replaced in `DIR/pki` by hand are exchanged without a restart. Failures are logged and tried again.
 */
export async function startCredentials(
  source: LiveCredentialSource,
  deps: { readonly clock: Clock; readonly log: Logger },
): Promise<LiveCredentials> {
  const { clock, log } = deps;
  const listeners = new Set<(next: ServerCredentials) => void>();
  const load = (): Promise<ServerCredentials> => loadCredentials({ ...source, names: source.names() }, clock);
  const hadAuthority = existsSync(join(source.dir, 'pki', 'ca.crt')) && existsSync(join(source.dir, 'pki', 'ca.key'));
  let current = await load();
  // The kubeconfig is written at every start: where there is one, others were given out.
  if (!hadAuthority && existsSync(join(source.dir, 'kubeconfig'))) {
    const why =
      'ca.crt or ca.key was not there: certificates and kubeconfigs that were given out before are not believed any more';
    log.warn('api.authority-made-anew', { dir: join(source.dir, 'pki'), why });
  }
  let warnedMs = Number.NEGATIVE_INFINITY;
  let stopped = false;

  async function look(): Promise<void> {
    try {
      const next = await load();
      if (!stopped && isChanged(current, next)) replace(next);
    } catch (error) {
      log.error('api.credentials-not-renewed', { error: errorText(error) });
    }
    warn();
  }

  function replace(next: ServerCredentials): void {
    log.info('api.credentials-replaced', {
      server: next.certificatePem !== current.certificatePem,
      admin: next.adminCertificatePem !== current.adminCertificatePem,
      authority: next.caPem !== current.caPem,
    });
    current = next;
    for (const listener of listeners) {
      try {
        listener(next);
      } catch (error) {
        // A key put there by hand may not fit its certificate; the others take what they need.
        log.error('api.credentials-not-taken', { error: errorText(error) });
      }
    }
  }

  function warnings(): readonly string[] {
    const leftMs = current.caNotAfterMs - clock.nowMs();
    if (leftMs > AUTHORITY_WARNING_MS) return [];
    const day = new Date(current.caNotAfterMs).toISOString().slice(0, 10);
    return [
      `the certificate authority in DIR/pki ends on ${day}, and all kubeconfigs with it: see docs/how-to/replace-the-certificate-authority.md`,
    ];
  }

  /** Once a day. */
  function warn(): void {
    const now = clock.nowMs();
    if (now - warnedMs < DAY_MS && now >= warnedMs) return;
    for (const why of warnings()) {
      log.warn('api.authority-ends', { why });
      warnedMs = now;
    }
  }

  let cancel = (): void => {};
  function schedule(): void {
    if (stopped) return;
    cancel = clock.after(source.lookMs ?? LOOK_MS, () => {
      look().then(schedule, schedule);
    });
  }
  warn();
  schedule();
  return {
    get current() {
      return current;
    },
    onReplaced(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    warnings,
    stop() {
      stopped = true;
      cancel();
    },
  };
}

function isChanged(before: ServerCredentials, after: ServerCredentials): boolean {
  return (
    (['caPem', 'certificatePem', 'keyPem', 'adminCertificatePem', 'adminKeyPem'] as const).some(
      (part) => before[part] !== after[part],
    ) || before.clientCaPems.join() !== after.clientCaPems.join()
  );
}
