import { type Json, stringifyJson } from '@bloomery/model';
import { usageError } from '../exit-code.ts';

/** How results are written. */
export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml' | 'name';

const FORMATS: readonly OutputFormat[] = ['table', 'wide', 'json', 'yaml', 'name'];

/** Options of every command that prints objects. */
export interface FormatOptions {
  readonly output?: string;
  readonly json?: boolean;
}

/**
 * The format that was asked for; `table` unless given.
 *
 * @throws BloomeryError BLM_CLI_USAGE
 */
export function formatOf(options: FormatOptions): OutputFormat {
  if (options.json === true) return 'json';
  const wanted = options.output ?? 'table';
  const found = FORMATS.find((format) => format === wanted);
  if (found === undefined) {
    throw usageError(`-o ${wanted} is not one of ${FORMATS.join(', ')}`, 'kubectl get KIND -o jsonpath=…');
  }
  return found;
}

/**
 * A value as JSON or YAML text that ends with a line break.
 *
 * @param value Made of JSON only. Objects of the API are, though their types do not say so.
 */
export async function dataText(value: object | Json, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${stringifyJson(value as Json, 2)}\n`;
  const { stringify } = await import('yaml');
  return stringify(value, { lineWidth: 0 });
}
