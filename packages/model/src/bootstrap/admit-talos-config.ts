import { notInList } from '../admission-text.ts';
import { asObject } from '../conversion-data.ts';
import { immutableSpec } from '../immutable-spec.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Admission, FieldProblem } from '../kind.ts';

const HOSTNAME_SOURCES = ['', 'MachineName', 'InfrastructureName'];

/**
 * Checks of TalosConfig, all versions: the spec never changes, hostname.source is out of a closed list. What can never give a
 * machine config is only warned of, as upstream takes it: the object's condition says more.
 */
export function admitTalosConfig(object: JsonObject, old: JsonObject | undefined): Admission {
  return admitted(immutableSpec('TalosConfig')(object, old), 'spec', asObject(object['spec']), old);
}

/** Checks of TalosConfigTemplate, all versions: as TalosConfig. */
export function admitTalosConfigTemplate(object: JsonObject, old: JsonObject | undefined): Admission {
  const spec = asObject(asObject(asObject(object['spec'])['template'])['spec']);
  return admitted(immutableSpec('TalosConfigTemplate')(object, old), 'spec.template.spec', spec, old);
}

function admitted({ badRequest }: Admission, field: string, spec: JsonObject, old: JsonObject | undefined): Admission {
  const problems = hostnameProblems(`${field}.hostname.source`, spec);
  const warnings = old === undefined ? talosConfigWarnings(field, spec) : [];
  return {
    problems,
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(badRequest === undefined ? {} : { badRequest }),
  };
}

function hostnameProblems(field: string, spec: JsonObject): readonly FieldProblem[] {
  const source = asObject(spec['hostname'])['source'] ?? '';
  return HOSTNAME_SOURCES.includes(String(source)) ? [] : [notInList(field, source, HOSTNAME_SOURCES)];
}

const TYPES = ['controlplane', 'worker', 'init', 'none', 'join', ''];
const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];
const VERSION = /^v?(\d{1,9})\.(\d{1,9})($|\.)/;
const MAX_WARNINGS = 10;

/** What will keep a TalosConfig from giving a machine config, or surprise. `field` is where the spec stands. */
export function talosConfigWarnings(field: string, spec: JsonObject): string[] {
  const type = textOf(spec['generateType']);
  const version = textOf(spec['talosVersion']);
  const data = textOf(spec['data']);
  const warnings: string[] = [];
  if (!TYPES.includes(type))
    warnings.push(`${field}.generateType: ${shown(type)} is no type: no machine config is made`);
  if (version !== '' && !VERSION.test(version)) {
    warnings.push(`${field}.talosVersion: ${shown(version)} is no version such as v1.11: no machine config is made`);
  }
  if (type === 'none' && data === '') warnings.push(`${field}.data: it is needed with generateType none`);
  if (type !== 'none' && data !== '') warnings.push(`${field}.data: it is only read with generateType none`);
  return [...warnings, ...operationWarnings(field, spec['configPatches'])].slice(0, MAX_WARNINGS);
}

function operationWarnings(field: string, operations: Json | undefined): string[] {
  if (!Array.isArray(operations)) return [];
  return operations.flatMap((operation, index) => {
    const { op, path } = asObject(operation);
    const place = `${field}.configPatches[${index}]`;
    const problems: string[] = [];
    if (!OPERATIONS.includes(textOf(op)))
      problems.push(`${place}.op: ${shown(textOf(op))} is no operation of RFC 6902`);
    const pointer = textOf(path);
    if (pointer !== '' && !pointer.startsWith('/'))
      problems.push(`${place}.path: ${shown(pointer)} does not start with /`);
    return problems;
  });
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const shown = (text: string): string => JSON.stringify(text.slice(0, 100));
