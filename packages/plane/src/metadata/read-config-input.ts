import type { ObjectClient } from '@bloomery/kube';
import {
  type KindRef,
  type KubeObject,
  machine,
  metalMachine,
  type ObjectKey,
  type Server,
  type ServerBinding,
  secret,
  server,
  serverBinding,
  serverClass,
  talosConfig,
} from '@bloomery/model';
import { errorText, isBloomeryError } from '@bloomery/ports';
import type { ConfigInput, PatchSource } from './plan-config.ts';

/** What was found of a machine's configuration, or why there is none (status and text of the answer). */
export type ConfigSources =
  | {
      readonly ok: true;
      readonly input: Pick<ConfigInput, 'server' | 'bootstrap' | 'sources' | 'talosVersion'>;
      readonly server: Server;
    }
  | { readonly ok: false; readonly status: number; readonly text: string; readonly server?: Server };

class Missing extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/**
 * Collect what the configuration of Server `name` is made from. Statuses and texts are those of spec/boot.md section 6.
 * Never throws.
 */
export async function readConfigSources(client: ObjectClient, name: string): Promise<ConfigSources> {
  try {
    return await collect(client, name);
  } catch (error) {
    if (error instanceof Missing) return { ok: false, status: error.status, text: error.message };
    return { ok: false, status: 500, text: `failure getting metalmachine: ${errorText(error)}` };
  }
}

async function collect(client: ObjectClient, name: string): Promise<ConfigSources> {
  const binding = await get(client, serverBinding, { name }, (error, isMissing) =>
    isMissing
      ? new Missing(404, `server is not allocated (missing serverbinding): ${error}`)
      : new Missing(500, `failure getting metalmachine: ${error}`),
  );
  const { bootstrap, configRef } = await readBootstrap(client, binding);
  const found = await get(
    client,
    server,
    { name },
    (error) => new Missing(500, `failure fetching server ${name}: ${error}`),
  );
  const classes = await readClass(client, binding);
  const own = patchesOf('server', found.spec);
  const talosVersion = await readTalosVersion(client, configRef);
  const input = { server: name, bootstrap, sources: [...classes, own] };
  return { ok: true, server: found, input: talosVersion === undefined ? input : { ...input, talosVersion } };
}

/** Only a hint: whatever stands in the way, there is none then. */
async function readTalosVersion(client: ObjectClient, key: ObjectKey | undefined): Promise<string | undefined> {
  if (key === undefined) return undefined;
  const found = await client.get(talosConfig, key).catch(() => undefined);
  return found?.spec?.talosVersion;
}

interface Bootstrap {
  readonly bootstrap: string;
  /** Of the TalosConfig that it was made from; undefined for other providers. */
  readonly configRef: ObjectKey | undefined;
}

async function readBootstrap(client: ObjectClient, binding: ServerBinding): Promise<Bootstrap> {
  const { name = '', namespace = 'default' } = binding.spec?.metalMachineRef ?? {};
  const metal = await get(
    client,
    metalMachine,
    { name, namespace },
    (e) => new Missing(500, `failure getting metalmachine: ${e}`),
  );
  const owner = metal.metadata.ownerReferences?.find(
    (o) => o.kind === 'Machine' && o.apiVersion.startsWith('cluster.x-k8s.io/'),
  );
  const ownerFailure = `failure fetching owner machine from metal machine ${namespace}/${name}: `;
  if (owner === undefined) throw new Missing(500, `${ownerFailure}it has no owner Machine`);
  const found = await get(
    client,
    machine,
    { name: owner.name, namespace },
    (e) => new Missing(500, `${ownerFailure}${e}`),
  );
  const secretName = found.spec?.bootstrap.dataSecretName ?? '';
  if (secretName === '') throw new Missing(404, `no dataSecretName present for machine ${namespace}/${owner.name}`);
  const at = `${namespace}/${secretName}`;
  const data = await get(client, secret, { name: secretName, namespace }, (e, isMissing) =>
    isMissing
      ? new Missing(404, `bootstrap secret ${at} not found`)
      : new Missing(500, `failure fetching bootstrap secret ${at}: ${e}`),
  );
  const value = data.data?.['value'];
  if (value === undefined) throw new Missing(404, `value key not found in bootstrap data: ${at}`);
  const { configRef } = found.spec?.bootstrap ?? {};
  return {
    bootstrap: Buffer.from(value, 'base64').toString('utf8'),
    configRef: configRef?.kind === talosConfig.kind ? { name: configRef.name ?? '', namespace } : undefined,
  };
}

async function readClass(client: ObjectClient, binding: ServerBinding): Promise<readonly PatchSource[]> {
  const name = binding.spec?.serverClassRef?.name ?? '';
  if (name === '') return [];
  const found = await get(
    client,
    serverClass,
    { name },
    (e) => new Missing(500, `failure fetching serverclass ${name}: ${e}`),
  );
  return [patchesOf(`serverclass ${name}`, found.spec)];
}

interface Patches {
  readonly configPatches?: readonly { readonly op: string; readonly path: string; readonly value?: PatchValue }[];
  readonly strategicPatches?: readonly string[];
}
type PatchValue = PatchSource['configPatches'][number][string];

const patchesOf = (what: string, spec: Patches | undefined): PatchSource => ({
  what,
  configPatches: (spec?.configPatches ?? []).map(({ op, path, value }) => ({ op, path, value })),
  strategicPatches: spec?.strategicPatches ?? [],
});

async function get<T extends KubeObject>(
  client: ObjectClient,
  kind: KindRef<T>,
  key: ObjectKey,
  failure: (text: string, isMissing: boolean) => Missing,
): Promise<T> {
  try {
    return await client.get(kind, key);
  } catch (error) {
    throw failure(errorText(error), isBloomeryError(error, 'BLM_API_NOT_FOUND'));
  }
}
