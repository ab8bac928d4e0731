import { entriesOf, isYamlList, isYamlMap, kubeJson, type YamlMap, type YamlTree } from '../yaml/index.ts';

type Kind = 'text' | 'mapping' | 'list';

/** Sections of an OCI runtime specification and what they hold. */
const SECTIONS: Readonly<Record<string, Kind>> = {
  ociVersion: 'text',
  process: 'mapping',
  root: 'mapping',
  hostname: 'text',
  domainname: 'text',
  mounts: 'list',
  hooks: 'mapping',
  annotations: 'mapping',
  linux: 'mapping',
  solaris: 'mapping',
  windows: 'mapping',
  vm: 'mapping',
  zos: 'mapping',
  freebsd: 'mapping',
};

/** The first section of `machine.baseRuntimeSpecOverrides` that has the wrong kind. Only the upper level is looked at. */
export function baseSpecProblem(spec: YamlMap | undefined): string | undefined {
  for (const [key, value] of entriesOf(spec ?? {})) {
    const want = SECTIONS[key];
    if (want !== undefined && value !== null && kindOf(value) !== want) {
      return `json: cannot unmarshal ${goKind(value)} into Go struct field Spec.${key}`;
    }
  }
  return undefined;
}

function kindOf(value: YamlTree): Kind | undefined {
  if (isYamlMap(value)) return 'mapping';
  if (isYamlList(value)) return 'list';
  return typeof kubeJson(value) === 'string' ? 'text' : undefined;
}

function goKind(value: YamlTree): string {
  if (isYamlMap(value)) return 'object';
  if (isYamlList(value)) return 'array';
  const json = kubeJson(value);
  return typeof json === 'boolean' ? 'bool' : typeof json === 'string' ? 'string' : 'number';
}
