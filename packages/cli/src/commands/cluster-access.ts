import { X509Certificate } from 'node:crypto';
import { closeSync, fchmodSync, openSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findObject, parseKubeconfig } from '@bloomery/kube';
import { type Cluster, cluster, keyText, secret } from '@bloomery/model';
import { BloomeryError, errorText } from '@bloomery/ports';
import { didYouMean } from '../resolve-kind.ts';
import type { Session } from '../session.ts';
import { suggest } from '../suggest.ts';

/** Options of `bloomery kubeconfig` and `bloomery talosconfig`. */
export interface ClusterAccessOptions {
  readonly file?: string;
  readonly force?: boolean;
}

/** Where each lies: Secret `<cluster>-<name>`, this key of it. */
const KEYS = { kubeconfig: 'value', talosconfig: 'talosconfig' } as const;

/**
 * `bloomery kubeconfig CLUSTER`, `bloomery talosconfig CLUSTER`: print what gives access to a cluster that was made here, or
 * write it to a file, 0600, which is not replaced unless `force` says so.
 *
 * @throws BloomeryError BLM_CLI_NAME_UNKNOWN, BLM_API_NOT_FOUND while it has not been made, BLM_CLI_REFUSED for the file
 */
export async function clusterAccess(
  session: Session,
  what: keyof typeof KEYS,
  name: string,
  options: ClusterAccessOptions,
): Promise<void> {
  const { client, namespace, deps } = session;
  const clusterName = name.replace(/^(cluster|clusters|cl)\//i, '');
  const found = await findObject(client, cluster, { name: clusterName, namespace });
  if (found === undefined) throw await unknown(session, clusterName);
  const held = await findObject(client, secret, { name: `${clusterName}-${what}`, namespace });
  const encoded = held?.data?.[KEYS[what]];
  if (encoded === undefined || encoded === '') throw missing(found, what);
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  if (options.file === undefined) deps.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  else {
    const file = resolve(options.file);
    write(file, text, `bloomery ${what} ${clusterName} --file ${options.file} --force`, options.force === true);
    const use =
      what === 'kubeconfig' ? `kubectl --kubeconfig ${file} get nodes` : `talosctl --talosconfig ${file} version`;
    deps.stderr.write(`${file}: ${what} of cluster ${clusterName}; try: ${use}\n`);
  }
  const end = what === 'kubeconfig' ? endOf(text) : undefined;
  if (end !== undefined) deps.stderr.write(`It holds until ${end}. Its Secret is renewed by itself: fetch it again.\n`);
}

function write(file: string, text: string, hint: string, force: boolean): void {
  let handle: number;
  try {
    handle = openSync(file, force ? 'w' : 'wx', 0o600);
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    const why = isThere ? 'it exists and is not replaced' : errorText(error);
    throw new BloomeryError('BLM_CLI_REFUSED', `writing ${file}: ${why}`, {
      facts: { file, ...(isThere ? { try: hint } : {}) },
    });
  }
  try {
    fchmodSync(handle, 0o600);
    writeFileSync(handle, text);
  } finally {
    closeSync(handle);
  }
}

/** When the client certificate of a kubeconfig ends, as a day; undefined for those of other making. */
function endOf(kubeconfig: string): string | undefined {
  try {
    const { cert } = parseKubeconfig(kubeconfig, 'in the Secret');
    return cert === undefined ? undefined : new Date(new X509Certificate(cert).validTo).toISOString().slice(0, 10);
  } catch {
    return undefined;
  }
}

function missing({ metadata, status }: Cluster, what: string): BloomeryError {
  const text = keyText(metadata);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const why = ready?.status === 'False' && ready.message ? `: ${ready.message}` : '';
  return new BloomeryError('BLM_API_NOT_FOUND', `reading the ${what} of cluster ${text}: it has none yet${why}`, {
    facts: { cluster: text, try: `bloomery explain cluster/${metadata.name}` },
  });
}

async function unknown({ client, namespace }: Session, name: string): Promise<BloomeryError> {
  const { items } = await client.list(cluster, { namespace });
  const near = suggest(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const message = `no cluster in namespace ${namespace} is called ${JSON.stringify(name)}${didYouMean(near)}`;
  return new BloomeryError('BLM_CLI_NAME_UNKNOWN', message, { facts: { try: 'bloomery get clusters -A' } });
}
