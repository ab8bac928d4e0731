import type { Controller, Input } from './controller.ts';

const INPUT_STYLES = { weak: 'dashed', strong: 'solid', destroyReady: 'dotted' } as const;

/** `text` for people, `dot` for Graphviz. */
export type GraphForm = 'text' | 'dot';

/**
 * Who reads and writes what, controllers in the order of their names, types with their namespace where it is not their own. As text,
 * each controller with its inputs and outputs; in the DOT language controllers are boxes and types are notes.
 */
export function dependencyGraph(controllers: readonly Controller[], form: GraphForm = 'text'): string {
  const sorted = [...controllers].sort((a, b) => (a.name < b.name ? -1 : 1));
  return (form === 'dot' ? dotLines(sorted) : textLines(sorted)).join('\n').concat('\n');
}

function textLines(controllers: readonly Controller[]): readonly string[] {
  return controllers.flatMap((controller) => [
    controller.name,
    ...controller.inputs.map((input) => `  reads   ${resourcesOf(input)} (${input.kind})`),
    ...controller.outputs.map(({ definition, kind }) => `  writes  ${shortName(definition.type)} (${kind})`),
  ]);
}

function dotLines(controllers: readonly Controller[]): readonly string[] {
  const edges = controllers.flatMap((controller) => [
    `  ${quoted(controller.name)} [shape=box];`,
    ...controller.inputs.map(
      (input) =>
        `  ${quoted(resourcesOf(input))} -> ${quoted(controller.name)} [style=${INPUT_STYLES[input.kind]}, label=${quoted(input.kind)}];`,
    ),
    ...controller.outputs.map(
      ({ definition, kind }) =>
        `  ${quoted(controller.name)} -> ${quoted(shortName(definition.type))} [label=${quoted(kind)}];`,
    ),
  ]);
  return ['digraph controllers {', '  rankdir=LR;', '  node [shape=note];', ...edges, '}'];
}

function resourcesOf({ definition, namespace, id }: Input): string {
  const place = namespace === undefined || namespace === definition.namespace ? '' : `${namespace}/`;
  return `${place}${shortName(definition.type)}${id === undefined ? '' : `/${id}`}`;
}

/** `LinkSpecs` of `LinkSpecs.net.talos.dev`. */
const shortName = (type: string): string => type.split('.')[0] ?? type;

const quoted = (text: string): string => JSON.stringify(text);
