import { defineResource, type ResourceDefinition, type SpecOf } from '../resource-definition.ts';
import { enumeration, list, message, text } from '../spec/field.ts';
import { singular } from './singular.ts';

/** Where definitions and namespaces stand. */
export const META = 'meta';

/** Each type that is served, for clients: their columns, names and defaults. */
export const ResourceDefinitionResource = defineResource({
  type: 'ResourceDefinitions.meta.cosi.dev',
  namespace: META,
  aliases: ['api-resources'],
  columns: [['Aliases', '{.aliases[:]}']],
  spec: {
    type: text(1),
    displayType: text(2),
    defaultNamespace: text(3),
    aliases: list(4, text(1)),
    allAliases: list(5, text(1)),
    printColumns: list(6, message(1, { name: text(1), jsonPath: text(2) })),
    sensitivity: enumeration(7, { '': 0, sensitive: 1 }, { omitEmpty: true }),
  },
});
export type ResourceDefinitionResource = SpecOf<typeof ResourceDefinitionResource>;

/** Each namespace that is served. */
export const NamespaceResource = defineResource({
  type: 'Namespaces.meta.cosi.dev',
  namespace: META,
  aliases: ['ns'],
  spec: { description: text(1) },
});

/** The id of a definition among the resources: its type in lower case. */
export const definitionId = (type: string): string => type.toLowerCase();

/**
 * What clients are told of a type. Computed: its name for display, and the names by which it is found (initials of its capitals
 * among them).
 */
export function describeDefinition(definition: ResourceDefinition): ResourceDefinitionResource {
  const { type, namespace, columns, sensitive } = definition;
  const [plural = '', ...suffix] = type.split('.');
  const displayType = singular(plural);
  const aliases = [...definition.aliases, displayType.toLowerCase(), ...initials(displayType)];
  return {
    type,
    displayType,
    defaultNamespace: namespace,
    aliases,
    allAliases: [...prefixes(plural.toLowerCase(), suffix), ...aliases],
    printColumns: columns.map(([name, jsonPath]) => ({ name, jsonPath })),
    sensitivity: sensitive ? 'sensitive' : '',
  };
}

/** Of a name with two capitals or more: the capitals, and their plural. */
function initials(displayType: string): string[] {
  const capitals = displayType.replace(/[^A-Z]/g, '');
  if (capitals.length < 2) return [];
  const lower = capitals.toLowerCase();
  return capitals.endsWith('S') ? [lower] : [lower, `${lower}s`];
}

/** `links`, `links.net`, `links.net.talos`: all but the whole type. */
function prefixes(plural: string, suffix: readonly string[]): string[] {
  return suffix.map((_, count) => [plural, ...suffix.slice(0, count)].join('.'));
}
