import { allKinds, apiVersionOf, type Schema, WAIT_REASONS } from '@bloomery/model';
import { ERROR_CODES } from '@bloomery/ports';

/** Every error code, from the registry. */
export function errorCodesPage(): string {
  const rows = Object.entries(ERROR_CODES).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = rows.map(([code, what]) => `## ${code}\n\n${what}\n`).join('\n');
  return `# Error codes\n\nEvery error of Bloomery carries one of these codes, in its log line and in \`-o json\`.\n\n${text}`;
}

/** The closed list of wait reasons. */
export function waitReasonsPage(): string {
  const sections = Object.entries(WAIT_REASONS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, { short, normal, doc }]) => {
      const who = normal ? 'It passes by itself.' : 'Somebody must act.';
      return `## ${reason}\n\n${doc}\n\nWAITING-FOR shows \`${short}\`. ${who}\n`;
    });
  return `# Wait reasons

The closed list of reasons why an object is not where it should be. They are the reason of condition \`Ready\` and of an
[Event](events.md), they are behind the WAITING-FOR column, and \`bloomery explain\` is built from them.

${sections.join('\n')}`;
}

const MAX_DEPTH = 6;

function fieldRows(schema: Schema, path: string, depth: number): string[] {
  const inner =
    schema.items ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
  const rows: string[] = [];
  if (inner !== undefined && depth < MAX_DEPTH)
    rows.push(...fieldRows(inner, `${path}${schema.items ? '[]' : '.*'}`, depth + 1));
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const full = path === '' ? name : `${path}.${name}`;
    const required = schema.required?.includes(name) ? ' (required)' : '';
    const values = child.enum === undefined ? '' : ` One of ${child.enum.map((v) => `\`${String(v)}\``).join(', ')}.`;
    const fallback = child.default === undefined ? '' : ` Default \`${JSON.stringify(child.default)}\`.`;
    rows.push(
      `| \`${full}\` | ${child.type ?? 'any'}${required} | ${(child.description ?? '').replaceAll('|', '\\|')}${values}${fallback} |`,
    );
    if (depth < MAX_DEPTH) rows.push(...fieldRows(child, full, depth + 1));
  }
  return rows;
}

/** Every kind and version with its fields. */
export function kindsPage(): string {
  const sections = allKinds.map((kind) => {
    const names = [kind.plural, ...kind.shortNames].map((n) => `\`${n}\``).join(', ');
    const stored = kind.storage ? 'stored version' : 'served, converted';
    const rows = fieldRows({ ...kind.schema, description: '' }, '', 0);
    return `## ${kind.kind} ${apiVersionOf(kind)}

${kind.schema.description ?? ''}

${kind.scope}; ${stored}; ${names}.

| field | type | |
|---|---|---|
${rows.join('\n')}
`;
  });
  return `# Kinds\n\n${sections.join('\n')}`;
}
