import { isJsonObject, type JsonObject, type schema } from '@bloomery/model';

/** One entry of `x-kubernetes-validations`. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly messageExpression: string;
  readonly reason: string | undefined;
  readonly fieldPath: string;
  readonly optionalOldSelf: boolean | undefined;
}

/** The rules that stand at a schema itself. Members of a wrong type count as absent. */
export function rulesOf(schema: schema.Schema): readonly Rule[] {
  const found = schema['x-kubernetes-validations'];
  return Array.isArray(found) ? found.filter(isJsonObject).map(ruleOf) : [];
}

function ruleOf(entry: JsonObject): Rule {
  const text = (name: string): string => (typeof entry[name] === 'string' ? entry[name] : '');
  const { reason, optionalOldSelf } = entry;
  return {
    rule: text('rule'),
    message: text('message'),
    messageExpression: text('messageExpression'),
    reason: typeof reason === 'string' ? reason : undefined,
    fieldPath: text('fieldPath'),
    optionalOldSelf: typeof optionalOldSelf === 'boolean' ? optionalOldSelf : undefined,
  };
}
