import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { badRequest } from '../pipeline/api-status.ts';
import { invalidOptions, notSupported, type OptionProblem } from '../pipeline/invalid-options.ts';
import type { DeleteRequest } from '../pipeline/write-request.ts';
import { goJson } from '../schema/index.ts';
import type { ApiRequest } from './api-request.ts';
import { decodeBody } from './read-body.ts';
import { dryRunProblems } from './write-options.ts';

/** How to delete, as body or query say. */
export type DeleteOptions = Pick<DeleteRequest, 'propagationPolicy' | 'uid' | 'resourceVersion' | 'dryRun' | 'options'>;

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;

/**
 * Read DeleteOptions: the body (JSON, YAML or protobuf) where there is one, and the query.
 *
 * @throws 400 for a body that is none, 422 for values that cannot be.
 */
export async function deleteOptionsOf(request: ApiRequest): Promise<DeleteOptions> {
  const given = await bodyOf(request);
  const { query } = request;
  const problems: OptionProblem[] = [];
  const asked = given['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  const orphan = given['orphanDependents'] ?? query.get('orphanDependents') ?? undefined;
  if (asked !== undefined && orphan !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    const message = `Invalid value: ${JSON.stringify(asked)}: ${why}`;
    problems.push({ field: 'propagationPolicy', reason: 'FieldValueInvalid', message });
  }
  const policy = POLICIES.find((name) => name === asked);
  if (asked !== undefined && policy === undefined)
    problems.push(notSupported('propagationPolicy', asked, [...POLICIES, 'nil']));
  const dryRun = [...query.getAll('dryRun'), ...textsOf(given['dryRun'])];
  problems.push(...dryRunProblems(dryRun));
  if (problems.length > 0) throw invalidOptions('DeleteOptions', problems);
  const preconditions = isJsonObject(given['preconditions']) ? given['preconditions'] : {};
  return {
    propagationPolicy: policy ?? (orphan === true || orphan === 'true' ? 'Orphan' : undefined),
    uid: textOf(preconditions['uid']),
    resourceVersion: textOf(preconditions['resourceVersion']),
    dryRun: dryRun.length > 0,
    options: () => toldOptions(given, asked, orphan),
  };
}

/** What webhooks are told of it. */
function toldOptions(given: JsonObject, policy: Json | undefined, orphan: Json | undefined): JsonObject {
  const { gracePeriodSeconds, preconditions } = given;
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan === true || orphan === 'true' }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
  };
}

const TYPES: Readonly<Record<string, string>> = {
  gracePeriodSeconds: 'number',
  orphanDependents: 'boolean',
  propagationPolicy: 'string',
  preconditions: 'object',
  dryRun: 'object',
};

async function bodyOf(request: ApiRequest): Promise<JsonObject> {
  const bytes = await request.body();
  if (bytes.length === 0) return {};
  const given = decodeBody(bytes, request.headers['content-type']);
  if (given === null) return {};
  if (!isJsonObject(given)) throw badRequest('the body of a deletion must be DeleteOptions');
  const { kind } = given;
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions')
    throw badRequest(`no kind ${goJson(kind)} is known as the body of a deletion: DeleteOptions is`);
  for (const [field, type] of Object.entries(TYPES)) {
    const value = given[field];
    if (value !== undefined && value !== null && typeof value !== type)
      throw badRequest(`cannot read DeleteOptions: ${field} must be of type ${type}`);
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
