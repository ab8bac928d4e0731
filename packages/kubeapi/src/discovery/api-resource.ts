import type { KindDefinition } from '@bloomery/model';

/** A subresource that is served below a resource: `pods/eviction`, `serviceaccounts/token`. */
export interface ApiSubresource {
  readonly name: string;
  readonly verbs: readonly string[];
  /** Kind of its bodies when it is not that of the resource. */
  readonly of?: { readonly group: string; readonly version: string; readonly kind: string };
}

/** What discovery and OpenAPI need to know of one kind at one version. A KindDefinition is one. */
export interface ApiResource
  extends Pick<
    KindDefinition,
    | 'group'
    | 'version'
    | 'kind'
    | 'plural'
    | 'singular'
    | 'listKind'
    | 'scope'
    | 'shortNames'
    | 'categories'
    | 'statusSubresource'
    | 'schema'
  > {
  readonly scale?: KindDefinition['scale'] | undefined;
  readonly preferred?: boolean;
  /** What may be done with it; everything unless given. Create-only kinds (reviews) say `['create']`. */
  readonly verbs?: readonly string[];
  /** Subresources beside status and scale. */
  readonly subresources?: readonly ApiSubresource[];
}

/** The verbs of a stored resource, as discovery sorts them. */
const STORED_VERBS: readonly string[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

const SUBRESOURCE_VERBS: readonly string[] = ['get', 'patch', 'update'];
const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** What Kubernetes' own kinds offer beside what their definitions say. */
const OWN: Readonly<Record<string, Pick<ApiResource, 'verbs' | 'subresources'>>> = {
  namespaces: {
    // All namespaces of a cluster are not deleted in one call.
    verbs: STORED_VERBS.filter((verb) => verb !== 'deletecollection'),
    subresources: [{ name: 'finalize', verbs: ['update'] }],
  },
  serviceaccounts: {
    subresources: [
      {
        name: 'token',
        verbs: ['create'],
        of: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      },
    ],
  },
};

/** The same verbs in the order in which kube-apiserver tells them of custom resources. */
const CUSTOM_VERBS: readonly string[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
];

/** A kind as it is served: with the subresources and verbs that are peculiar to it. */
export function servedResource(kind: ApiResource, builtin = true): ApiResource {
  if (!builtin) return kind.verbs === undefined ? { ...kind, verbs: CUSTOM_VERBS } : kind;
  const own = kind.group === '' ? OWN[kind.plural] : undefined;
  return own === undefined ? kind : { ...kind, ...own };
}

/** All subresources of a resource: status, scale, and its own. */
export function subresourcesOf(resource: ApiResource): readonly ApiSubresource[] {
  return [
    ...(resource.subresources ?? []),
    ...(resource.scale === undefined ? [] : [{ name: 'scale', verbs: SUBRESOURCE_VERBS, of: SCALE }]),
    ...(resource.statusSubresource ? [{ name: 'status', verbs: SUBRESOURCE_VERBS }] : []),
  ];
}

/** The verbs of a resource itself. */
export function verbsOf(resource: ApiResource): readonly string[] {
  return resource.verbs ?? STORED_VERBS;
}
