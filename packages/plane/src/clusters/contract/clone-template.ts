import { findObject, type KindResolver, type ObjectClient } from '@bloomery/kube';
import type { Json, JsonObject, KindRef, KubeObject, ObjectReference, OwnerReference } from '@bloomery/model';
import { apiVersionOf, isJsonObject, LABELS } from '@bloomery/model';
import { BloomeryError, isBloomeryError } from '@bloomery/ports';
import type { ProviderReference } from './provider-object.ts';

export interface CloneTemplateDeps {
  readonly client: ObjectClient;
  readonly resolver: KindResolver;
}

/** What to make out of which template. */
export interface CloneRequest {
  /** A template of any kind whose name ends in `Template`. */
  readonly ref: ProviderReference;
  readonly namespace: string;
  /** Name of the object to make, exactly. */
  readonly name: string;
  readonly clusterName: string;
  /** Win over those of the template. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: OwnerReference;
  /** Who writes, for managedFields. */
  readonly fieldManager?: string;
}

/** Annotations that say which template an object was made from. */
export const CLONED_FROM_NAME = 'cluster.x-k8s.io/cloned-from-name';
export const CLONED_FROM_GROUP_KIND = 'cluster.x-k8s.io/cloned-from-groupkind';

const SUFFIX = 'Template';

/**
 * Make the object that a template describes: its `spec.template`, as the kind without `Template`, under this name. An object of
 * this name that was made from the same template counts as made, so that it can be tried again after a crash. Returns the
 * reference to put into a Machine.
 *
 * @throws BLM_TEMPLATE_MISSING when the template, its kind, or the kind to make is not there (retryable);
 *   BLM_TEMPLATE_TAKEN when another object has the name; what the API refuses.
 */
export async function cloneTemplate(deps: CloneTemplateDeps, request: CloneRequest): Promise<ObjectReference> {
  const { ref, namespace, name } = request;
  const text = `${ref.kind ?? 'object'} ${ref.namespace || namespace}/${ref.name ?? ''}`;
  const source = await deps.resolver.resolve(ref);
  if (source === undefined) throw missing(text, `no such kind is installed`);
  if (!source.kind.kind.endsWith(SUFFIX)) throw missing(text, `its kind does not end in ${SUFFIX}`);
  const template = await findObject(deps.client, source.kind, {
    name: ref.name ?? '',
    namespace: ref.namespace || namespace,
  });
  if (template === undefined) throw missing(text, 'it does not exist');
  const kind = await cloneKind(deps.resolver, source.kind, text);
  const clone = cloneOf(template, kind, request);
  const made: ObjectReference = { apiVersion: apiVersionOf(kind), kind: kind.kind, name, namespace };
  try {
    await deps.client.create(
      kind,
      clone,
      request.fieldManager === undefined ? {} : { fieldManager: request.fieldManager },
    );
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
    const there = await findObject(deps.client, kind, { name, namespace });
    if (there === undefined || !isSameClone(there, clone)) {
      throw new BloomeryError(
        'BLM_TEMPLATE_TAKEN',
        `making ${kind.kind} ${namespace}/${name} from ${text}: another object has this name; delete or rename it`,
        { retryable: true, cause: error },
      );
    }
  }
  return made;
}

/** The kind to make, at the version that the template was read at. */
async function cloneKind(resolver: KindResolver, template: KindRef, text: string): Promise<KindRef> {
  const kind = template.kind.slice(0, -SUFFIX.length);
  const found = await resolver.resolve({ apiVersion: apiVersionOf(template), kind });
  if (found === undefined) throw missing(text, `its kind ${kind} is not installed`);
  return { ...found.kind, version: template.version };
}

function cloneOf(template: KubeObject, kind: KindRef, request: CloneRequest): KubeObject {
  const { namespace, name, clusterName, labels, annotations, owner } = request;
  const inner = at(template as unknown as JsonObject, 'spec', 'template');
  const group = apiVersionOf(kind).split('/')[0] ?? '';
  const spec = at(inner, 'spec');
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      name,
      namespace,
      labels: { ...texts(at(inner, 'metadata', 'labels')), ...labels, [LABELS.clusterName]: clusterName },
      annotations: {
        ...texts(at(inner, 'metadata', 'annotations')),
        ...annotations,
        [CLONED_FROM_NAME]: template.metadata.name,
        [CLONED_FROM_GROUP_KIND]: `${kind.kind}${SUFFIX}.${group}`,
      },
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** Made by us before: from the same template, for the same cluster and owner. */
function isSameClone({ metadata: there }: KubeObject, { metadata: wanted }: KubeObject): boolean {
  const [owner] = wanted.ownerReferences ?? [];
  const same = (name: string): boolean => there.annotations?.[name] === wanted.annotations?.[name];
  return (
    there.deletionTimestamp === undefined &&
    same(CLONED_FROM_NAME) &&
    same(CLONED_FROM_GROUP_KIND) &&
    there.labels?.[LABELS.clusterName] === wanted.labels?.[LABELS.clusterName] &&
    (owner === undefined || (there.ownerReferences ?? []).some(({ uid }) => uid === owner.uid))
  );
}

function missing(text: string, why: string): BloomeryError {
  return new BloomeryError('BLM_TEMPLATE_MISSING', `making an object from ${text}: ${why}`, { retryable: true });
}

function texts(value: Json | undefined): Readonly<Record<string, string>> {
  const entries = isJsonObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((v, name) => (isJsonObject(v) ? v[name] : undefined), value);
}
