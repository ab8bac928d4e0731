import type { KindDefinition, KindRef, KubeObject } from '@bloomery/model';
import { compareVersions } from '@bloomery/model';
import { BloomeryError, type Clock, errorText, type Logger } from '@bloomery/ports';
import { isConditionTrue } from './conditions.ts';
import { runInformer } from './informer.ts';
import type { KindName, KindResolver, ResolvedKind, TypeChange } from './kind-resolver.ts';
import type { ObjectClient } from './object-client.ts';

export interface KindResolverDeps {
  readonly client: ObjectClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 ≤ r < 1, for back-off. */
  readonly random: () => number;
  /** Kinds to know where the API has no definitions at all: APIs of tests. A definition of the same name wins. */
  readonly standing?: readonly KindDefinition[];
}

/** apiextensions.k8s.io/v1 CustomResourceDefinition, as far as it is read here. */
interface Definition extends KubeObject {
  readonly spec?: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly scope: string;
    readonly versions: readonly { readonly name: string; readonly served: boolean; readonly storage: boolean }[];
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** What is kept of a definition: schemas would be megabytes. */
interface Known {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: 'Cluster' | 'Namespaced';
  /** Versions that are served, newest first. */
  readonly served: readonly string[];
  readonly stored: string;
  readonly labels: Readonly<Record<string, string>>;
}

const DEFINITIONS: KindRef<Definition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  scope: 'Cluster',
};

const CONTRACT_LABEL = 'cluster.x-k8s.io/';
/** Contracts that providers may follow, the one to prefer first. Older ones than v1beta1 have its fields. */
const CONTRACTS = ['v1beta2', 'v1beta1', 'v1alpha4', 'v1alpha3'] as const;

/**
 * Follow the definitions of the API by a watch until the signal aborts, and find kinds by them. Only names, versions and
 * labels are kept.
 */
export function createKindResolver(deps: KindResolverDeps, signal: AbortSignal): KindResolver {
  const { clock, log } = deps;
  const standing = new Map(
    Map.groupBy(deps.standing ?? [], typeId)
      .entries()
      .map(([id, kinds]) => [id, ofOwn(kinds)]),
  );
  /** By the name of the definition. */
  const known = new Map<string, Known>();
  const types = new Map<string, Known>();
  const listeners = new Set<(change: TypeChange) => void>();

  const tell = ({ group, kind, served }: TypeChange): void => {
    for (const listener of listeners) listener({ group, kind, served });
  };
  const forget = (name: string): void => {
    const before = known.get(name);
    known.delete(name);
    if (before === undefined || types.get(typeId(before)) !== before) return;
    types.delete(typeId(before));
    tell({ ...before, served: [] });
  };
  const learn = (definition: Definition): void => {
    const { name } = definition.metadata;
    const now = digest(definition);
    if (now === undefined) {
      forget(name);
      return;
    }
    const before = known.get(name);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(now)) return;
    if (before !== undefined && typeId(before) !== typeId(now)) forget(name);
    known.set(name, now);
    types.set(typeId(now), now);
    tell(now);
  };
  const listed = new Promise<void>((resolve, reject) => {
    const ended = (): void => reject(new BloomeryError('BLM_API_UNAVAILABLE', 'looking for kinds: we are stopping'));
    signal.addEventListener('abort', ended, { once: true });
    const cache = {
      put: (_: KindRef, object: KubeObject) => learn(object),
      remove: (_: KindRef, object: KubeObject) => forget(object.metadata.name),
      replace(_: KindRef, objects: readonly KubeObject[]) {
        const there = new Set(objects.map(({ metadata }) => metadata.name));
        for (const name of [...known.keys()].filter((n) => !there.has(n))) forget(name);
        for (const object of objects) learn(object);
      },
    };
    const informer = runInformer(
      DEFINITIONS,
      { client: deps.client, clock, log, random: deps.random, cache },
      resolve,
      signal,
    );
    informer.catch((error) => log.error('informer.ended', { error: errorText(error) }));
  });
  listed.catch(() => {});
  return {
    async resolve(ref) {
      await listed;
      const id = typeId({ group: groupOf(ref), kind: ref.kind ?? '' });
      const found = types.get(id) ?? standing.get(id);
      return found && versioned(found, ref);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The API group that a reference names, '' for the core group. */
export function groupOf({ apiVersion, apiGroup }: KindName): string {
  if (apiGroup !== undefined && apiGroup !== '') return apiGroup;
  const [group = '', version] = (apiVersion ?? '').split('/');
  return version === undefined ? '' : group;
}

function typeId({ group, kind }: { readonly group: string; readonly kind: string }): string {
  return `${group}/${kind}`;
}

/** undefined while the definition is not served: its names are taken, or the server has not got to it yet. */
function digest({ metadata, spec, status }: Definition): Known | undefined {
  if (spec === undefined || !isConditionTrue(status?.conditions, 'Established')) return undefined;
  const contracts = Object.entries(metadata.labels ?? {}).filter(([name]) => name.startsWith(CONTRACT_LABEL));
  return {
    group: spec.group,
    kind: spec.names.kind,
    plural: spec.names.plural,
    scope: spec.scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    served: spec.versions.flatMap(({ name, served }) => (served ? [name] : [])).sort(compareVersions),
    stored: spec.versions.find(({ storage }) => storage)?.name ?? '',
    labels: Object.fromEntries(contracts),
  };
}

function ofOwn(kinds: readonly KindDefinition[]): Known | undefined {
  const stored = kinds.find(({ storage }) => storage) ?? kinds[0];
  if (stored === undefined) return undefined;
  const { group, kind, plural, scope, version, crdLabels } = stored;
  const served = kinds.map((k) => k.version).sort(compareVersions);
  return { group, kind, plural, scope, served, stored: version, labels: crdLabels };
}

function versioned(known: Known, { apiVersion }: KindName): ResolvedKind | undefined {
  const { group, kind, plural, scope, served, stored, labels } = known;
  const at = (version: string, contract: ResolvedKind['contract']): ResolvedKind => ({
    kind: { group, version, kind, plural, scope },
    contract,
    served,
  });
  for (const contract of CONTRACTS) {
    const named = (labels[`${CONTRACT_LABEL}${contract}`] ?? '').split('_');
    const version = served.find((name) => named.includes(name));
    if (version !== undefined) return at(version, contract === 'v1beta2' ? 'v1beta2' : 'v1beta1');
  }
  const wished = apiVersion?.split('/')[1];
  const version = [wished, stored, served[0]].find((name) => name !== undefined && served.includes(name));
  return version === undefined ? undefined : at(version, 'v1beta1');
}
