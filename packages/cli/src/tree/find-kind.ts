import { allKinds, apiVersionOf, isJsonObject, type KindRef, type ObjectReference, parseJson } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { Session } from '../session.ts';

/** Finds the kind behind a reference: one of ours, or any that the manager serves. Asks once for each group and version. */
export type FindKind = (ref: Pick<ObjectReference, 'apiVersion' | 'kind'>) => Promise<KindRef | undefined>;

/** Make a FindKind for one command. */
export function createFindKind({ client }: Pick<Session, 'client'>): FindKind {
  const asked = new Map<string, Promise<readonly KindRef[]>>();
  const served = async (apiVersion: string): Promise<readonly KindRef[]> => {
    try {
      const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      return readResources(apiVersion, await client.transport.send({ method: 'GET', path }));
    } catch (error) {
      if (isBloomeryError(error, 'BLM_API_NOT_FOUND')) return [];
      throw error;
    }
  };
  return async ({ apiVersion = '', kind = '' }) => {
    const own = allKinds.find((k) => k.kind === kind && k.storage && apiVersion.startsWith(`${k.group}/`));
    if (own !== undefined) return own;
    const sameVersion = allKinds.find((k) => k.kind === kind && apiVersion === '' && k.storage);
    if (sameVersion !== undefined || apiVersion === '') return sameVersion;
    const list = asked.get(apiVersion) ?? served(apiVersion);
    asked.set(apiVersion, list);
    return (await list).find((k) => k.kind === kind && apiVersionOf(k) === apiVersion);
  };
}

/** The kinds of an APIResourceList, without subresources. */
function readResources(apiVersion: string, text: string): readonly KindRef[] {
  const list = parseJson(text);
  const resources = isJsonObject(list) ? list['resources'] : undefined;
  const [group = '', version = group] = apiVersion.split('/');
  return (Array.isArray(resources) ? resources : []).filter(isJsonObject).flatMap((resource) => {
    const { name, kind, namespaced } = resource;
    if (typeof name !== 'string' || typeof kind !== 'string' || name.includes('/')) return [];
    const scope = namespaced === true ? 'Namespaced' : 'Cluster';
    return [{ group: apiVersion.includes('/') ? group : '', version, kind, plural: name, scope }];
  });
}
