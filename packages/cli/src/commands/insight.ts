import { findObject } from '@bloomery/kube';
import {
  type Explanation,
  explanation,
  type KindDefinition,
  type KubeObject,
  type MachineTimeline,
  machineTimeline,
  server,
} from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { didYouMean, type ObjectArgument, parseObjectArgument } from '../resolve-kind.ts';
import { resolveServer } from '../resolve-server.ts';
import { keyIn, type Session } from '../session.ts';
import { suggest } from '../suggest.ts';

/** An object of the command line that exists. */
export interface FoundObject {
  readonly kind: KindDefinition;
  readonly object: KubeObject;
}

/**
 * Find the object that `KIND/NAME`, `KIND NAME` or a bare server name means.
 *
 * @throws BloomeryError BLM_CLI_NAME_UNKNOWN with the nearest names
 */
export async function findArgument(session: Session, words: readonly string[]): Promise<FoundObject> {
  const { kind, name }: ObjectArgument = parseObjectArgument(words, server);
  if (kind.kind === server.kind) return { kind, object: await resolveServer(session.client, name) };
  const object = await findObject<KubeObject>(session.client, kind, keyIn(session, kind, name));
  if (object === undefined) throw await unknown(session, kind, name);
  return { kind, object };
}

async function unknown({ client, namespace }: Session, kind: KindDefinition, name: string): Promise<BloomeryError> {
  const isNamespaced = kind.scope === 'Namespaced';
  const { items } = await client.list<KubeObject>(kind, isNamespaced ? { namespace } : {});
  const near = suggest(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const where = isNamespaced ? ` in namespace ${namespace}` : '';
  const message = `no ${kind.kind}${where} is called ${JSON.stringify(name)}${didYouMean(near)}`;
  const facts = { try: `bloomery get ${kind.plural}${isNamespaced ? ' -A' : ''}` };
  return new BloomeryError('BLM_CLI_NAME_UNKNOWN', message, { facts });
}

/** The manager's explanation of an object; undefined where the manager does not offer any. */
export async function readExplanation(session: Session, { object }: FoundObject): Promise<Explanation | undefined> {
  return findObject(session.client, explanation, insightKey(object));
}

/**
 * The timeline of an object.
 *
 * @throws BloomeryError BLM_CLI_REFUSED when objects of this kind have none, or the manager keeps none.
 */
export async function readTimeline(session: Session, { object }: FoundObject): Promise<MachineTimeline> {
  const found = await findObject(session.client, machineTimeline, insightKey(object));
  if (found !== undefined) return found;
  throw new BloomeryError('BLM_CLI_REFUSED', `${object.kind} ${object.metadata.name} has no timeline here`, {
    facts: { try: `bloomery describe ${object.kind.toLowerCase()}/${object.metadata.name}` },
  });
}

function insightKey({ kind, metadata }: KubeObject): { readonly name: string; readonly namespace: string } {
  return { name: `${kind.toLowerCase()}.${metadata.name}`, namespace: metadata.namespace ?? 'default' };
}
