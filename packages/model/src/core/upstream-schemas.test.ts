import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { allKinds } from '../all-kinds.ts';
import type { Schema } from '../schema.ts';

/** What is known of one property: its type and its limits. */
interface Fact {
  readonly type?: string;
  readonly required?: boolean;
  readonly enum?: readonly string[];
  readonly open?: boolean;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly minimum?: number;
}

const file = new URL('./testing/upstream-schemas.json', import.meta.url);
const upstream: { readonly kinds: Readonly<Record<string, Readonly<Record<string, Fact>>>> } = JSON.parse(
  readFileSync(file, 'utf8'),
);

/** Properties that upstream does not have: what is waited for, and a field that only v1beta2 has. */
const OURS = ['status.waitingFor', 'spec.minReadySeconds'];
const LOWER = ['minLength', 'minItems', 'minimum'] as const;
const UPPER = ['maxLength', 'maxItems', 'maximum'] as const;

function factsOf(schema: Schema, path: string, facts: Map<string, Schema>, required: Set<string>): void {
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? name : `${path}.${name}`;
    facts.set(at, inner);
    if (schema.required?.includes(name) === true) required.add(at);
    factsOf(inner, at, facts, required);
    const items =
      inner.items ?? (typeof inner.additionalProperties === 'object' ? inner.additionalProperties : undefined);
    if (items?.type === 'object') factsOf(items, `${at}[]`, facts, required);
    else if (items !== undefined) facts.set(`${at}[]`, items);
  }
}

function typeOf(schema: Schema): string | undefined {
  return schema['x-kubernetes-int-or-string'] === true ? 'int-or-string' : schema.type;
}

/** Why our schema would refuse what upstream's accepts. */
function stricter(ours: Schema, theirs: Fact): readonly string[] {
  const allowed = ours.enum?.map(String);
  const missing = (theirs.enum ?? []).filter((value) => allowed !== undefined && !allowed.includes(value));
  return [
    ...(typeOf(ours) === theirs.type ? [] : [`type ${typeOf(ours)} instead of ${theirs.type}`]),
    ...missing.map((value) => `does not know ${value}`),
    ...LOWER.filter((limit) => (ours[limit] ?? 0) > (theirs[limit] ?? 0)).map((limit) => `${limit} ${ours[limit]}`),
    ...UPPER.filter((limit) => (ours[limit] ?? Number.MAX_VALUE) < (theirs[limit] ?? Number.MAX_VALUE)).map(
      (limit) => `${limit} ${ours[limit]}`,
    ),
  ];
}

describe('a kind of Cluster API core accepts what upstream’s definition accepts', () => {
  for (const [name, wanted] of Object.entries(upstream.kinds)) {
    it(name, () => {
      const [kindName, version] = name.split(' ');
      const kind = allKinds.find((k) => k.kind === kindName && k.version === version && k.group === 'cluster.x-k8s.io');
      assert.ok(kind !== undefined);
      const { spec, status } = kind.schema.properties ?? {};
      const facts = new Map<string, Schema>();
      const required = new Set<string>();
      factsOf({ properties: { ...(spec && { spec }), ...(status && { status }) } }, '', facts, required);

      const problems: string[] = [];
      const open = Object.keys(wanted).filter((path) => wanted[path]?.open === true);
      for (const [path, fact] of Object.entries(wanted)) {
        const ours = facts.get(path);
        if (ours === undefined) problems.push(`${path} is missing`);
        else problems.push(...stricter(ours, fact).map((why) => `${path}: ${why}`));
        if (required.has(path) && fact.required !== true) problems.push(`${path} is required`);
      }
      for (const path of facts.keys()) {
        const isBelowOpen = open.some((parent) => path.startsWith(`${parent}.`));
        if (wanted[path] === undefined && !isBelowOpen && !OURS.includes(path))
          problems.push(`${path} is not upstream's`);
      }
      assert.deepEqual(problems, []);
    });
  }
});
