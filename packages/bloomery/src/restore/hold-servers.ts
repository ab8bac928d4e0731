import { type ApiObject, asApiObject } from '@bloomery/kubeapi';
import { ANNOTATIONS, server, serverBinding } from '@bloomery/model';

/** What the annotation says instead of the uid of a binding. */
export const HELD_BY_RESTORE = 'restored-backup';

/** Resource of a kind, as the store names it. */
function resourceOf(kind: { readonly plural: string; readonly group: string }): string {
  return `${kind.plural}.${kind.group}`;
}

/**
 * Which Servers of a backup nobody may wipe or give away: all accepted ones that were not allocated then. They may have been
 * allocated since, and run what a wipe would destroy. They come back as if their binding had gone unseen, which parks them
 * (design §4). The returned function gives the held form of such a Server, and undefined for everything else.
 */
export function holdFreeServers(
  bindingNames: ReadonlySet<string>,
): (resource: string, object: ApiObject) => ApiObject | undefined {
  return (resource, object) => {
    if (resource !== SERVERS || bindingNames.has(object.metadata.name)) return undefined;
    const { annotations = {} } = object.metadata;
    const { spec } = object;
    const isAccepted = typeof spec === 'object' && spec !== null && 'accepted' in spec && spec['accepted'] === true;
    if (!isAccepted || Object.hasOwn(annotations, ANNOTATIONS.boundTo)) return undefined;
    const held = { ...annotations, [ANNOTATIONS.boundTo]: HELD_BY_RESTORE };
    return asApiObject({ ...object, metadata: { ...object.metadata, annotations: held } });
  };
}

/** Resource name of Servers in a backup. */
export const SERVERS = resourceOf(server);
/** Resource name of ServerBindings in a backup. */
export const SERVER_BINDINGS = resourceOf(serverBinding);
