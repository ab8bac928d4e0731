import { type Controller, type ReconcileContext, type Requeue, watchSource } from '@bloomery/kube';
import { type Environment, environment, type JsonObject, jsonEqual, namespace } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { AssetShelf } from './asset-shelf.ts';
import { type AssetState, planEnvironmentStatus, type WantedAsset, waitOf, wantedAssets } from './plan.ts';

/** What the controller of Environments needs. */
export interface EnvironmentControllerDeps {
  readonly shelf: AssetShelf;
  /** Spec of the Environment `default`, which is made at start and when it was deleted, and never overwritten. */
  readonly defaultSpec: NonNullable<Environment['spec']>;
}

const DEFAULT_NAME = 'default';

/**
 * The controller that brings the assets of Environments to our disk and says in their status what is there (spec/boot.md §9).
 * The files of a deleted Environment go with it.
 */
export function createEnvironmentController({
  shelf,
  defaultSpec,
}: EnvironmentControllerDeps): Controller<Environment> {
  let tidied = false;
  return {
    name: 'environment',
    kind: environment,
    watches: [
      // There is always a Namespace: this asks for `default` once at start, when there is no Environment yet.
      watchSource(namespace, ({ metadata }) => (metadata.name === 'default' ? [{ name: DEFAULT_NAME }] : [])),
    ],
    writes: ['Environment.status'],
    async reconcile({ name }, context) {
      if (!tidied) {
        tidied = true;
        await shelf.keepOnly(new Set([...context.cache.list(environment).map((e) => e.metadata.name), name]));
      }
      const found = context.cache.get(environment, { name });
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) {
        await shelf.forget(name);
        if (found === undefined && name === DEFAULT_NAME) await createDefault(context, defaultSpec);
        return {};
      }
      const wanted = wantedAssets(found);
      const assets: { wanted: WantedAsset; state: AssetState }[] = [];
      for (const asset of wanted) assets.push({ wanted: asset, state: await shelf.want(asset) });
      await writeStatus(context, found, assets);
      const afterMs = shelf.lookAgainMs(wanted);
      const fetching = assets.some(({ state }) => state.is === 'fetching');
      return afterMs === undefined ? (fetching ? { afterMs: SHARED_MS } : {}) : { afterMs };
    },
  };
}

/** Look again when somebody else's download brings our file. */
const SHARED_MS = 500;

async function writeStatus(
  context: ReconcileContext,
  found: Environment,
  assets: readonly { readonly wanted: WantedAsset; readonly state: AssetState }[],
): Promise<Requeue> {
  const { client, clock, events } = context;
  const status = planEnvironmentStatus(found, assets, clock.nowMs());
  if (jsonEqual(found.status ?? {}, status)) return {};
  const { name, resourceVersion } = found.metadata;
  const gone = Object.keys(found.status ?? {}).filter((field) => !Object.hasOwn(status, field));
  const body: JsonObject = {
    metadata: { ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    status: { ...Object.fromEntries(gone.map((field) => [field, null])), ...status },
  };
  await client.patch(environment, { name }, { type: 'merge', body }, { subresource: 'status' });
  const states = assets.map(({ state }) => state);
  const failed = assets.find(({ state }) => state.is === 'failed');
  if (failed !== undefined && failed.state.is === 'failed') {
    events.record(found, { type: 'Warning', reason: failed.state.reason, message: failed.state.message });
  } else if (assets.length > 0 && waitOf(states) === undefined) {
    events.record(found, {
      type: 'Normal',
      reason: 'EnvironmentReady',
      message: 'Kernel and initrd are ready to be served.',
    });
  }
  return {};
}

async function createDefault({ client, log }: ReconcileContext, spec: NonNullable<Environment['spec']>): Promise<void> {
  try {
    await client.create(environment, {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Environment',
      metadata: { name: DEFAULT_NAME },
      spec,
    });
    log.info('environment.default_created');
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
}
