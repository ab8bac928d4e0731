import { field, isYamlList, isYamlMap, kubeJson, scalarString, type YamlMap, type YamlTree } from '../yaml/index.ts';
import { type ConfigDocument, identityText } from './config-document.ts';
import { redactAt } from './redact-config.ts';

/** A place where two configurations differ. */
export interface ConfigChange {
  /** `v1alpha1/HostnameConfig`, `/v1alpha1` for the legacy document. */
  readonly document: string;
  /** Dotted (`machine.network.interfaces.0.mtu`); '' for a whole document. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** What was there, secrets hidden, at most 200 characters; absent when nothing was. */
  readonly from?: string;
  /** What is there now, as `from`. */
  readonly to?: string;
}

const MAX_CHANGES = 1_000;
const MAX_SHOWN_CHARACTERS = 200;

/**
 * Where two configurations differ, in the order of `before` and then of what `after` adds. Lists are compared place by
 * place. At most 1000 changes.
 */
export function diffConfigs(before: readonly ConfigDocument[], after: readonly ConfigDocument[]): ConfigChange[] {
  const changes: ConfigChange[] = [];
  for (const document of new Set([...before, ...after].map(identityText))) {
    const find = (documents: readonly ConfigDocument[]): YamlTree | undefined =>
      documents.find((one) => identityText(one) === document)?.tree;
    const place: Place = { path: '', key: undefined, parents: [undefined, undefined] };
    diffAt({ changes, document }, find(before), find(after), place);
  }
  return changes;
}

interface Diff {
  readonly changes: ConfigChange[];
  readonly document: string;
}

interface Place {
  readonly path: string;
  readonly key: string | undefined;
  readonly parents: readonly [YamlMap | undefined, YamlMap | undefined];
}

function diffAt(context: Diff, a: YamlTree | undefined, b: YamlTree | undefined, place: Place): void {
  if (context.changes.length >= MAX_CHANGES) return;
  if (isYamlMap(a) && isYamlMap(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      diffAt(context, field(a, key), field(b, key), { path: joined(place.path, key), key, parents: [a, b] });
    }
    return;
  }
  if (isYamlList(a) && isYamlList(b)) {
    for (let at = 0; at < Math.max(a.length, b.length); at++)
      diffAt(context, a[at], b[at], { ...place, path: joined(place.path, String(at)) });
    return;
  }
  if (a === undefined ? b === undefined : b !== undefined && text(a) === text(b)) return;
  context.changes.push({
    document: context.document,
    path: place.path,
    change: a === undefined ? 'added' : b === undefined ? 'removed' : 'changed',
    ...(a === undefined ? {} : { from: shown(a, place.key, place.parents[0]) }),
    ...(b === undefined ? {} : { to: shown(b, place.key, place.parents[1]) }),
  });
}

const joined = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

const text = (tree: YamlTree): string =>
  scalarString(tree) ?? JSON.stringify(kubeJson(tree), (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v));

function shown(tree: YamlTree, key: string | undefined, parent: YamlMap | undefined): string {
  const whole = text(redactAt(tree, key, parent));
  return whole.length > MAX_SHOWN_CHARACTERS ? `${whole.slice(0, MAX_SHOWN_CHARACTERS - 1)}…` : whole;
}
