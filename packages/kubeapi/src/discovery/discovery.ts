import { createHash } from 'node:crypto';
import { apiVersionOf, compareVersions, type JsonObject } from '@bloomery/model';
import { type ApiResource, subresourcesOf, verbsOf } from './api-resource.ts';

/** `/api`: the versions of the core group. */
export function apiVersionsDocument(serverAddress: string): JsonObject {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** `/apis`: all groups but the core one. */
export function apiGroupListDocument(resources: readonly ApiResource[]): JsonObject {
  const groups = groupNames(resources).filter((group) => group !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => groupEntry(resources, group)) };
}

/** `/apis/G`, or undefined when nothing of that group is served. */
export function apiGroupDocument(resources: readonly ApiResource[], group: string): JsonObject | undefined {
  if (!resources.some((resource) => resource.group === group)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(resources, group) };
}

/** `/api/v1` and `/apis/G/V`, or undefined when nothing of that version is served. */
export function apiResourceListDocument(
  resources: readonly ApiResource[],
  group: string,
  version: string,
): JsonObject | undefined {
  const served = resources.filter((resource) => resource.group === group && resource.version === version);
  if (served.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: served.flatMap(resourceEntries),
  };
}

/** Content type of the aggregated documents. */
export const AGGREGATED_DISCOVERY_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/**
 * The aggregated discovery document (apidiscovery.k8s.io/v2).
 *
 * @param at `api` for the core group, `apis` for all others.
 */
export function aggregatedDiscoveryDocument(resources: readonly ApiResource[], at: 'api' | 'apis'): JsonObject {
  const groups = groupNames(resources).filter((group) => (group === '') === (at === 'api'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsOf(resources, group).map((version) => ({
        version,
        freshness: 'Current',
        resources: resources
          .filter((resource) => resource.group === group && resource.version === version)
          .map(discoveredResource),
      })),
    })),
  };
}

function groupNames(resources: readonly ApiResource[]): readonly string[] {
  return [...new Set(resources.map(({ group }) => group))].sort();
}

function versionsOf(resources: readonly ApiResource[], group: string): readonly string[] {
  const members = resources.filter((resource) => resource.group === group);
  const preferred = members.find((resource) => resource.preferred === true)?.version;
  const rank = (version: string): number => (version === preferred ? 0 : 1);
  const versions = [...new Set(members.map(({ version }) => version))];
  return versions.sort((a, b) => rank(a) - rank(b) || compareVersions(a, b));
}

function groupEntry(resources: readonly ApiResource[], group: string): JsonObject {
  const versions = versionsOf(resources, group).map((version) => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceEntries(resource: ApiResource): readonly JsonObject[] {
  const { plural, kind } = resource;
  const namespaced = resource.scope === 'Namespaced';
  const main = {
    name: plural,
    singularName: resource.singular,
    namespaced,
    kind,
    verbs: verbsOf(resource),
    ...names(resource),
    ...(verbsOf(resource).includes('watch') ? { storageVersionHash: storageVersionHash(resource) } : {}),
  };
  const subresources = subresourcesOf(resource).map((subresource) => ({
    name: `${plural}/${subresource.name}`,
    singularName: '',
    namespaced,
    ...(subresource.of ?? { kind }),
    verbs: subresource.verbs,
  }));
  return [main, ...subresources];
}

function discoveredResource(resource: ApiResource): JsonObject {
  const { group, version, kind } = resource;
  const subresources = subresourcesOf(resource).map((subresource) => ({
    subresource: subresource.name,
    responseKind: subresource.of ?? { group, version, kind },
    verbs: subresource.verbs,
  }));
  return {
    resource: resource.plural,
    responseKind: { group, version, kind },
    scope: resource.scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: verbsOf(resource),
    ...names(resource),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}

function names({ shortNames, categories }: ApiResource): JsonObject {
  return {
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
}

/** Any stable text of eight bytes: clients only compare it. */
function storageVersionHash({ group, kind }: ApiResource): string {
  return createHash('sha256').update(`${group}/${kind}`).digest().subarray(0, 8).toString('base64');
}
