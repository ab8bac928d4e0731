import type { Area } from './area.ts';

const START = '<!-- conformance: begin -->';
const END = '<!-- conformance: end -->';

/** The cases that must differ on our side, as the table of docs/reference/kube-api-differences.md. */
export function differencesTable(areas: readonly Area[]): string {
  const rows = areas.flatMap(({ name, cases }) =>
    Object.entries(cases).flatMap(([title, { differs }]) =>
      differs === undefined ? [] : [`| ${name} | ${title} | ${differs} |`],
    ),
  );
  return [START, '', '| area | case | why it differs here |', '|---|---|---|', ...rows, '', END].join('\n');
}

/** A document with its table replaced; undefined when it has no place for one. */
export function withDifferences(document: string, table: string): string | undefined {
  const [from, to] = [document.indexOf(START), document.indexOf(END)];
  if (from < 0 || to < from) return undefined;
  return document.slice(0, from) + table + document.slice(to + END.length);
}
