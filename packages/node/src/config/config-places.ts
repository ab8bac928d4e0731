import { entriesOf, isLegacy, isYamlList, isYamlMap, type LocatedDocument, type YamlTree } from '@bloomery/talos';
import { linkMembers } from './link-members.ts';

/** What the place of a problem is found by: a value it ends with or quotes, else a path that it names. */
const QUOTED = /"((?:[^"\\]|\\.){1,300})"/g;
const PATH = /(?:^|[(\s])\.((?:machine|cluster)(?:\.[A-Za-z]+)+)/;
const TWO_MASTERS = /^interface ".*" is declared as part of two separate links: /;
const OLD_PATH = /\[networking\.os\.device\b/;

/** What says of the conflicts of a document with the v1alpha1 document where the other half stands. */
const LEGACY_CONFLICTS: readonly (readonly [says: RegExp, kind: string, path: string])[] = [
  [/^static hostname is already/, 'HostnameConfig', 'machine.network.hostname'],
  [/^stable hostname is already/, 'HostnameConfig', 'machine.features.stableHostname'],
  [/^kubespan is already/, 'KubeSpanConfig', 'machine.network.kubespan'],
  [/\.searchDomains is already/, 'ResolverConfig', 'machine.network.searchDomains'],
  [/\.nameservers is already/, 'ResolverConfig', 'machine.network.nameservers'],
  [/\.disableSearchDomain is already/, 'ResolverConfig', 'machine.network.disableSearchDomain'],
  [/^time sync cannot be disabled/, 'TimeSyncConfig', 'machine.time.disabled'],
  [/^time servers cannot be specified/, 'TimeSyncConfig', 'machine.time.servers'],
  [/^boot timeout cannot be specified/, 'TimeSyncConfig', 'machine.time.bootTimeout'],
];

/**
 * What adds to a problem, in Talos' words, the keys and lines it speaks of: found by the value that it quotes, by the key that it
 * names, or by the document that it begins with.
 */
export function createPlaceFinder(documents: readonly LocatedDocument[]): (problem: string) => string {
  const legacy = documents.find(isLegacy);
  const values = new Map<LocatedDocument, ReadonlyMap<string, string>>();
  const valuesOf = (document: LocatedDocument): ReadonlyMap<string, string> => {
    const known = values.get(document) ?? pathsByValue(document.tree);
    values.set(document, known);
    return known;
  };
  return (problem) => {
    const members = TWO_MASTERS.test(problem) ? memberPlaces(problem, documents) : undefined;
    if (members !== undefined) return `${problem} (${members})`;
    const conflict = legacy === undefined ? undefined : conflictPlace(problem, legacy, documents);
    if (conflict !== undefined) return `${problem} (${conflict})`;
    const own = documents.find((document) => !isLegacy(document) && problem.startsWith(`${documentName(document)}: `));
    const document = own ?? legacy;
    if (document === undefined) return problem;
    const path = pathIn(problem, valuesOf(document));
    if (path !== undefined) return `${problem} (${path}, line ${document.lineOf(path)})`;
    return own === undefined ? problem : `${problem} (line ${own.lineOf('')})`;
  };
}

const documentName = ({ kind, name }: LocatedDocument): string => (name === '' ? kind : `${kind}/${name}`);

/** Both places of a link that two others have as their member. */
function memberPlaces(problem: string, documents: readonly LocatedDocument[]): string | undefined {
  const [member, ...masters] = [...problem.matchAll(QUOTED)].map((match) => match[1] ?? '');
  const places = linkMembers(documents.filter(isLegacy)).filter(
    (found) => found.member === member && masters.includes(found.master),
  );
  return places.length < 2 ? undefined : places.map(({ place }) => place).join(', and ');
}

function conflictPlace(
  problem: string,
  legacy: LocatedDocument,
  documents: readonly LocatedDocument[],
): string | undefined {
  const [, kind, path = ''] = LEGACY_CONFLICTS.find(([says]) => says.test(problem)) ?? [];
  const other = documents.find((document) => document.kind === kind);
  if (other === undefined || kind === undefined) return undefined;
  return `${path}, line ${legacy.lineOf(path)}, and ${kind}, line ${other.lineOf('')}`;
}

function pathIn(problem: string, values: ReadonlyMap<string, string>): string | undefined {
  const quoted = [...problem.matchAll(QUOTED)].map((match) => match[1] ?? '').reverse();
  const last = problem.split(' ').at(-1) ?? '';
  for (const text of [last, ...quoted]) {
    const path = values.get(text);
    if (path !== undefined) return path;
  }
  const named = PATH.exec(problem)?.[1];
  if (named !== undefined) return named;
  return OLD_PATH.test(problem) ? 'machine.network.interfaces' : undefined;
}

/** Where each text of at most 300 characters stands first. */
function pathsByValue(tree: YamlTree): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const walk = (node: YamlTree, path: string): void => {
    const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
    if (isYamlList(node)) for (const [index, item] of node.entries()) walk(item, at(String(index)));
    else if (isYamlMap(node)) for (const [key, value] of entriesOf(node)) walk(value, at(key));
    else {
      const text = typeof node === 'string' ? node : undefined;
      if (text !== undefined && text.length > 1 && text.length <= 300 && !found.has(text)) found.set(text, path);
    }
  };
  walk(tree, '');
  return found;
}
