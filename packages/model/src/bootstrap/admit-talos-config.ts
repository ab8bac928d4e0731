import { notInList } from '../admission-text.ts';
import { asObject } from '../conversion-data.ts';
import { immutableSpec } from '../immutable-spec.ts';
import type { JsonObject } from '../json.ts';
import type { Admission, FieldProblem } from '../kind.ts';

const HOSTNAME_SOURCES = ['', 'MachineName', 'InfrastructureName'];

/** Checks of TalosConfig, all versions: the spec never changes, hostname.source is out of a closed list. */
export function admitTalosConfig(object: JsonObject, old: JsonObject | undefined): Admission {
  const { badRequest } = immutableSpec('TalosConfig')(object, old);
  const problems = hostnameProblems('spec.hostname.source', asObject(object['spec']));
  return badRequest === undefined ? { problems } : { problems, badRequest };
}

/** Checks of TalosConfigTemplate, all versions: as TalosConfig. */
export function admitTalosConfigTemplate(object: JsonObject, old: JsonObject | undefined): Admission {
  const { badRequest } = immutableSpec('TalosConfigTemplate')(object, old);
  const spec = asObject(asObject(asObject(object['spec'])['template'])['spec']);
  const problems = hostnameProblems('spec.template.spec.hostname.source', spec);
  return badRequest === undefined ? { problems } : { problems, badRequest };
}

function hostnameProblems(field: string, spec: JsonObject): readonly FieldProblem[] {
  const source = asObject(spec['hostname'])['source'] ?? '';
  return HOSTNAME_SOURCES.includes(String(source)) ? [] : [notInList(field, source, HOSTNAME_SOURCES)];
}
