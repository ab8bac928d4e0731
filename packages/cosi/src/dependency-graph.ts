import type { Controller, Input } from './controller.ts';

const INPUT_STYLES = { weak: 'dashed', strong: 'solid', destroyReady: 'dotted' } as const;

/**
 * Who reads and writes what, as a graph in the DOT language: controllers are boxes in the order of their names, types are notes with
 * their namespace where it is not their own. Readable as it is; `dot -Tsvg` draws it.
 */
export function dependencyGraph(controllers: readonly Controller[]): string {
  const sorted = [...controllers].sort((a, b) => (a.name < b.name ? -1 : 1));
  const edges = sorted.flatMap(({ name, inputs, outputs }) => [
    `  ${quoted(name)} [shape=box];`,
    ...inputs.map(
      (input) =>
        `  ${quoted(resourcesOf(input))} -> ${quoted(name)} [style=${INPUT_STYLES[input.kind]}, label=${quoted(input.kind)}];`,
    ),
    ...outputs.map(
      ({ definition, kind }) => `  ${quoted(name)} -> ${quoted(shortName(definition.type))} [label=${quoted(kind)}];`,
    ),
  ]);
  return ['digraph controllers {', '  rankdir=LR;', '  node [shape=note];', ...edges, '}', ''].join('\n');
}

function resourcesOf({ definition, namespace, id }: Input): string {
  const place = namespace === undefined || namespace === definition.namespace ? '' : `${namespace}/`;
  return `${place}${shortName(definition.type)}${id === undefined ? '' : `/${id}`}`;
}

/** `LinkSpecs` of `LinkSpecs.net.talos.dev`. */
const shortName = (type: string): string => type.split('.')[0] ?? type;

const quoted = (text: string): string => JSON.stringify(text);
