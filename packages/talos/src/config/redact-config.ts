import { entriesOf, isYamlList, isYamlMap, PlainScalar, type YamlMap, type YamlTree } from '../yaml/index.ts';
import type { ConfigDocument } from './config-document.ts';

/** Stands for every secret that is not shown. */
export const REDACTED = '******';

/** Keys whose text is always a secret, wherever they stand. */
const SECRET_KEYS = new Set(['auth', 'identitytoken', 'presharedkey', 'privatekey', 'passphrase', 'uniquetoken']);
const SECRET_WORD = /token|secret|passw|passphrase|credential|api_?key|private_?key|access_?key/i;
/** `NAME=value`, as environments of extension services are written. */
const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]{0,200})=/;
const URL_PASSWORD = /(\/\/[^/?#@\s:]{0,200}:)[^/?#@\s]{1,500}@/g;
const URL_SECRET = /([?&](?:jointoken|token|secret|password|key)=)[^&#\s]{1,2000}/gi;
/** Texts that hold secrets inside: private keys, Secrets among manifests (also in lists and in JSON). Each repetition is bounded. */
const SECRET_TEXT = /PRIVATE KEY-----|(?:^|[{,-])[ \t]{0,200}["']?kind["']?\s{0,20}:\s{0,20}["']?Secret\b/m;
const MAX_INSPECTED_CHARACTERS = 1 << 20;

/**
 * The documents with every secret hidden: keys of certificates, tokens, passwords, encryption secrets, join tokens inside
 * URLs, and texts that contain private keys or Secrets. For people to look at; the result need not load again.
 */
export function redactConfig(documents: readonly ConfigDocument[]): ConfigDocument[] {
  return documents.map((document) => {
    const tree = redactTree(document.tree);
    return { ...document, tree: isYamlMap(tree) ? tree : {} };
  });
}

/** As `redactConfig`, for one tree. */
export function redactTree(tree: YamlTree): YamlTree {
  return redactAt(tree, undefined, undefined);
}

/** As `redactTree`, for what stands at `key` of `parent`. */
export function redactAt(tree: YamlTree, key: string | undefined, parent: YamlMap | undefined): YamlTree {
  if (isYamlList(tree)) return tree.map((item) => redactAt(item, key, parent));
  if (isYamlMap(tree)) {
    return Object.fromEntries(entriesOf(tree).map(([name, value]) => [name, redactAt(value, name, tree)]));
  }
  return redactValue(tree, key, parent);
}

/** A scalar, or `REDACTED` in its place. `parent` is the mapping that has it as `key` (or in a list there). */
function redactValue(value: YamlTree, key: string | undefined, parent: YamlMap | undefined): YamlTree {
  if (value === null || value === '' || typeof value === 'boolean') return value;
  if (key !== undefined && isSecretKey(key, parent)) return REDACTED;
  if (value instanceof PlainScalar || typeof value !== 'string') return value;
  if (value.length > MAX_INSPECTED_CHARACTERS || SECRET_TEXT.test(value)) return REDACTED;
  const assigned = ASSIGNMENT.exec(value)?.[1];
  if (assigned !== undefined && SECRET_WORD.test(assigned)) return `${assigned}=${REDACTED}`;
  return value.replace(URL_PASSWORD, `$1${REDACTED}@`).replace(URL_SECRET, `$1${REDACTED}`);
}

function isSecretKey(key: string, parent: YamlMap | undefined): boolean {
  if (key !== 'key') return SECRET_KEYS.has(key.toLowerCase()) || SECRET_WORD.test(key);
  // The key of a certificate stands beside it, or alone; `key` of a selector stands beside an operator.
  return parent !== undefined && entriesOf(parent).every(([name]) => ['key', 'crt', 'cert'].includes(name));
}
