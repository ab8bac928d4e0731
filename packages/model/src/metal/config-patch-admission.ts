import { parseDocument } from 'yaml';
import { notInList } from '../admission-text.ts';
import { asList, asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { FieldProblem } from '../kind.ts';

const OPERATIONS = ['add', 'copy', 'move', 'remove', 'replace', 'test'];
const BOOT_METHODS = ['', 'ipxe-exit', 'http-404', 'ipxe-sanboot'];
const PXE_MODES = ['', 'bios', 'uefi'];
const POINTER = /^(\/([^~/]|~[01])*)*$/;
const MAX_WARNED = 20;

/** Refuse a bootFromDiskMethod that does not exist. */
export function bootMethodProblems(spec: JsonObject): readonly FieldProblem[] {
  const method = spec['bootFromDiskMethod'] ?? '';
  return BOOT_METHODS.includes(String(method)) ? [] : [notInList('spec.bootFromDiskMethod', method, BOOT_METHODS)];
}

/** Refuse a pxeMode that does not exist. */
export function pxeModeProblems(spec: JsonObject): readonly FieldProblem[] {
  const mode = spec['pxeMode'] ?? '';
  return PXE_MODES.includes(String(mode)) ? [] : [notInList('spec.pxeMode', mode, PXE_MODES)];
}

/** Refuse operations of configPatches that RFC 6902 does not have. */
export function patchOperationProblems(spec: JsonObject): readonly FieldProblem[] {
  return asList(spec['configPatches']).flatMap((patch, i) => {
    const { op } = asObject(patch);
    return typeof op === 'string' && OPERATIONS.includes(op)
      ? []
      : [notInList(`spec.configPatches.${i}.op`, op ?? '', OPERATIONS)];
  });
}

/** What is suspicious about patches, but may not be refused because old objects must stay editable. */
export function patchWarnings(spec: JsonObject): readonly string[] {
  const pointers = asList(spec['configPatches']).flatMap((patch, i) => {
    const { path } = asObject(patch);
    return typeof path === 'string' && !POINTER.test(path)
      ? [`spec.configPatches.${i}.path: ${JSON.stringify(path)} is not a JSON pointer; applying it will fail`]
      : [];
  });
  const texts = asList(spec['strategicPatches']).flatMap((text, i) => {
    const [first] = typeof text === 'string' ? parseDocument(text, { logLevel: 'silent' }).errors : [];
    const line = first?.message.split('\n')[0];
    const isSeveral = first?.code === 'MULTIPLE_DOCS';
    return line === undefined || isSeveral
      ? []
      : [`spec.strategicPatches.${i}: not YAML: ${line}; applying it will fail`];
  });
  return [...pointers, ...texts].slice(0, MAX_WARNED);
}
