import { event, type Json, type JsonObject, type KubeObject } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { ageText } from '../output/age.ts';
import { dataText } from '../output/format.ts';
import { tableText } from '../output/table.ts';
import type { Session } from '../session.ts';
import { explanationText } from './explain.ts';
import { findArgument, readExplanation } from './insight.ts';
import { type TreeOptions, treeTextOf } from './tree.ts';

interface Described extends KubeObject {
  readonly spec?: Json;
  readonly status?: JsonObject;
}

/**
 * `bloomery describe KIND/NAME`: the object, its conditions and Events, and the cause when it waits; of a Cluster or Machine also
 * everything that belongs to it.
 */
export async function describe(session: Session, words: readonly string[], options: TreeOptions = {}): Promise<void> {
  const found = await findArgument(session, words);
  const object = found.object as Described;
  const { deps } = session;
  const nowMs = deps.clock.nowMs();
  const cause = await readExplanation(session, found);
  const { conditions, ...status } = object.status ?? {};
  const parts = [
    headText(object, nowMs),
    cause === undefined || cause.healthy === true ? '' : `\n${explanationText(cause, nowMs)}`,
    await treePart(session, object, options),
    object.spec === undefined ? '' : `\nSpec:\n${indented(await dataText(object.spec, 'yaml'))}`,
    Object.keys(status).length === 0 ? '' : `\nStatus:\n${indented(await dataText(status, 'yaml'))}`,
    conditionsText(conditions, nowMs),
    await eventsText(session, object, nowMs),
  ];
  deps.stdout.write(parts.join(''));
}

/** Of a Cluster or Machine: everything that belongs to it, and the commands that show more of it. */
async function treePart(session: Session, object: KubeObject, options: TreeOptions): Promise<string> {
  const tree = await treeTextOf(session, object, options);
  if (tree === undefined) return '';
  const { name, namespace = 'default' } = object.metadata;
  const ref = `${object.kind.toLowerCase()}/${name} -n ${namespace}`;
  const more = [`config ${ref}`, `logs ${ref}`, `timeline ${ref}`].map((command) => `bloomery ${command}\n`).join('');
  return `\nTree:\n${indented(tree)}\nMore:\n${indented(more)}`;
}

function headText({ apiVersion, kind, metadata }: KubeObject, nowMs: number): string {
  const pairs = (map: Readonly<Record<string, string>> | undefined): string =>
    Object.entries(map ?? {})
      // The manifest as kubectl remembers it: the spec follows anyway.
      .filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration')
      .map(([key, value]) => `${key}=${value}`)
      .join(', ') || '-';
  const rows: [string, string | undefined][] = [
    ['Name:', metadata.name],
    ['Namespace:', metadata.namespace],
    ['Kind:', `${kind} (${apiVersion})`],
    ['Labels:', pairs(metadata.labels)],
    ['Annotations:', pairs(metadata.annotations)],
    ['Created:', metadata.creationTimestamp === undefined ? '-' : `${ageText(metadata.creationTimestamp, nowMs)} ago`],
    ['Deleting:', metadata.deletionTimestamp],
    ['Finalizers:', metadata.finalizers?.join(', ')],
  ];
  return rows.map(([name, value]) => (value === undefined ? '' : `${name.padEnd(13)}${value}\n`)).join('');
}

function conditionsText(conditions: Json | undefined, nowMs: number): string {
  const list = Array.isArray(conditions) ? (conditions as readonly JsonObject[]) : [];
  if (list.length === 0) return '';
  const text = (value: Json | undefined): string => (value === undefined || value === '' ? '-' : String(value));
  const rows = list.map((c) => [
    text(c['type']),
    text(c['status']),
    text(c['reason']),
    ageText(text(c['lastTransitionTime']), nowMs),
    text(c['message']).replaceAll('\n', ' '),
  ]);
  return `\nConditions:\n${indented(tableText(['TYPE', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'], rows))}`;
}

async function eventsText({ client }: Session, { kind, metadata }: KubeObject, nowMs: number): Promise<string> {
  const fields = `involvedObject.kind=${kind},involvedObject.name=${metadata.name}`;
  try {
    const { items } = await client.list(event, { namespace: metadata.namespace ?? 'default', fields });
    const time = (item: (typeof items)[number]): string =>
      item.lastTimestamp ?? item.eventTime ?? item.metadata.creationTimestamp ?? '';
    const rows = items
      .toSorted((a, b) => (time(a) < time(b) ? -1 : 1))
      .map((item) => [
        ageText(time(item), nowMs),
        item.type ?? '-',
        item.reason ?? '-',
        String(item.count ?? 1),
        (item.message ?? '').replaceAll('\n', ' '),
      ]);
    if (rows.length === 0) return '\nEvents: none\n';
    return `\nEvents:\n${indented(tableText(['AGE', 'TYPE', 'REASON', 'COUNT', 'MESSAGE'], rows))}`;
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_FORBIDDEN')) return '\nEvents: not permitted\n';
    throw error;
  }
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
