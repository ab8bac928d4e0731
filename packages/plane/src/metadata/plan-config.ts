import type { JsonObject } from '@bloomery/model';
import { type BoundAddress, errorText } from '@bloomery/ports';
import { linkApiText, linkSinks } from '@bloomery/siderolink';
import {
  type ConfigDocument,
  type ConfigPatch,
  field,
  isLegacy,
  isOlderTalos,
  isYamlList,
  isYamlMap,
  operationsPatch,
  patchConfig,
  readPatch,
  scalarString,
  strictProblems,
  withField,
  writeConfig,
  type YamlTree,
} from '@bloomery/talos';
import { type MachineLinkApi, PLAIN_LINK_API } from '../boot/index.ts';

/** Patches of a ServerClass or a Server, as its spec has them. */
export interface PatchSource {
  /** `serverclass x` or `server`: for messages. */
  readonly what: string;
  readonly configPatches: readonly JsonObject[];
  readonly strategicPatches: readonly string[];
}

/** Everything that a machine's configuration is made from. */
export interface ConfigInput {
  /** Name of the Server: its label on the node. */
  readonly server: string;
  /** Content of the bootstrap secret. */
  readonly bootstrap: string;
  /** In order: the ServerClass of the binding, then the Server. */
  readonly sources: readonly PatchSource[];
  readonly endpoint: BoundAddress;
  /** Our address on the link, IPv6; undefined while there is none: then events and logs have nowhere to go. */
  readonly linkAddress: string | undefined;
  /** How the machine calls the link's API; as Sidero's machines do unless given. */
  readonly linkApi?: MachineLinkApi;
  /** `talosVersion` of the machine's TalosConfig; counts where the configuration names no installer with a version. */
  readonly talosVersion?: string;
}

/** The answer to a machine. `warnings` name places that Talos 1.13 does not know; never values. */
export type ConfigPlan =
  | { readonly ok: true; readonly body: string; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly status: number; readonly text: string };

const LABEL = 'metal.sidero.dev/uuid';
/** The first Talos release that knows the three documents; older ones refuse a configuration with them. */
const LINK_DOCUMENTS_SINCE = [1, 5] as const;

/**
 * Make a machine's configuration: class patches, server patches, node label, the three SideroLink documents unless the
 * machine is known to run a Talos that is too old for them. Pure.
 * Lenient: what the type table does not know is passed through.
 *
 * @see spec/boot.md section 6
 */
export function planConfig(input: ConfigInput): ConfigPlan {
  const own = planOwnConfig(input);
  if (!own.ok) return own;
  try {
    const isTooOld = isOlderTalos(installerVersion(own.documents) ?? input.talosVersion, LINK_DOCUMENTS_SINCE);
    const link = isTooOld ? [] : [readPatch(linkDocuments(input), 'lenient', 'SideroLink documents')];
    const documents = patchConfig(writeConfig(own.documents, 'lenient'), link, { strictness: 'lenient' });
    return { ok: true, body: writeConfig(documents, 'lenient'), warnings: strictProblems(documents) };
  } catch (error) {
    return failure(error);
  }
}

/** What `planConfig` makes before it adds the SideroLink documents: for people to look at. Pure. */
export function planOwnConfig(
  input: Pick<ConfigInput, 'server' | 'bootstrap' | 'sources'>,
): { readonly ok: true; readonly documents: readonly ConfigDocument[] } | Extract<ConfigPlan, { ok: false }> {
  let text = input.bootstrap;
  for (const source of input.sources) {
    const patched = applySource(text, source);
    if (!patched.ok) return patched;
    text = patched.text;
  }
  try {
    const documents = labelNode(patchConfig(text, [], { strictness: 'lenient' }), input.server);
    return documents === undefined ? { ok: false, status: 500, text: 'unknown config type' } : { ok: true, documents };
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): Extract<ConfigPlan, { ok: false }> {
  return { ok: false, status: 500, text: `failure applying patches to machine config: ${errorText(error)}` };
}

type Patched =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly status: number; readonly text: string };

function applySource(text: string, source: PatchSource): Patched {
  let patches: ConfigPatch[];
  try {
    patches = [
      ...(source.configPatches.length === 0 ? [] : [operationsPatch(source.configPatches)]),
      ...source.strategicPatches.map((patch, i) => readPatch(patch, 'lenient', `strategic patch ${i + 1}`)),
    ];
  } catch (error) {
    return { ok: false, status: 500, text: `failure loading patches from ${source.what}: ${errorText(error)}` };
  }
  if (patches.length === 0) return { ok: true, text };
  try {
    return { ok: true, text: writeConfig(patchConfig(text, patches, { strictness: 'lenient' }), 'lenient') };
  } catch (error) {
    return {
      ok: false,
      status: 500,
      text: `failure applying patches of ${source.what} to machine config: ${errorText(error)}`,
    };
  }
}

/** undefined when there is no `version: v1alpha1` document to label. */
function labelNode(documents: readonly ConfigDocument[], server: string): ConfigDocument[] | undefined {
  const at = documents.findIndex(isLegacy);
  const legacy = documents[at];
  if (legacy === undefined || scalarString(field(legacy.tree, 'version')) !== 'v1alpha1') return undefined;
  const label = `${LABEL}=${server}`;
  const tree = into(legacy.tree, ['machine', 'kubelet', 'extraArgs'], (args) => {
    const own = field(args, 'node-labels');
    if (isYamlList(own)) return withField(args, 'node-labels', [...own, label]);
    if (own === undefined || own === null) return withField(args, 'node-labels', label);
    return withField(args, 'node-labels', `${scalarString(own) ?? ''},${label}`);
  });
  return documents.with(at, { ...legacy, tree });
}

/** The version in `machine.install.image`; undefined when there is no image or its tag is no version. */
function installerVersion(documents: readonly ConfigDocument[]): string | undefined {
  const legacy = documents.find(isLegacy);
  const machine = legacy === undefined ? undefined : field(legacy.tree, 'machine');
  const install = isYamlMap(machine) ? field(machine, 'install') : undefined;
  const image = isYamlMap(install) ? scalarString(field(install, 'image')) : undefined;
  return /:(v\d{1,4}\.\d{1,4}[^@/]{0,64})(?:@|$)/.exec(image?.slice(0, 512) ?? '')?.[1];
}

type Mapping = Extract<YamlTree, { readonly [key: string]: YamlTree | undefined }>;

function into(map: Mapping, path: readonly string[], change: (map: Mapping) => Mapping): Mapping {
  const [key, ...rest] = path;
  if (key === undefined) return change(map);
  const own = field(map, key) ?? {};
  if (!isYamlMap(own)) throw new TypeError(`${key} is not a mapping`);
  return withField(map, key, into(own, rest, change));
}

function linkDocuments({ endpoint, linkAddress, linkApi = PLAIN_LINK_API }: ConfigInput): string {
  const apiUrl = linkApiText({ ...linkApi, endpoint }, 'document');
  const documents = [`apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: ${JSON.stringify(apiUrl)}\n`];
  if (linkAddress !== undefined) {
    const sinks = linkSinks(linkAddress);
    documents.push(`apiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: "${sinks.events}"\n`);
    documents.push(`apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote-log\nurl: "${sinks.kernelLog}"\n`);
  }
  return documents.join('---\n');
}
