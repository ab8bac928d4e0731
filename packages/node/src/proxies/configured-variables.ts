import type { KernelArguments } from '../cmdline/kernel-arguments.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { asRecord, asText } from '../config/plain-value.ts';
import { isVariableName } from './node-variables.ts';

/** Variables, and what was left out. */
export interface ConfiguredVariables {
  readonly variables: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

/** Variables of `talos.environment=KEY=VALUE`; it may stand several times, the last of a name wins. */
export function kernelVariables(given: KernelArguments): ConfiguredVariables {
  const pairs = given.all('talos.environment').map((pair): readonly [string, string] => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
  });
  return checked(pairs, 'talos.environment');
}

/** Variables of `machine.env`, then of EnvironmentConfig documents in their order: the last of a name wins. */
export function configuredVariables(config: NodeConfig | undefined): ConfiguredVariables {
  const documents = (config?.documents ?? []).filter(({ kind }) => kind === 'EnvironmentConfig');
  const pairs = documents.flatMap(({ value }) =>
    Object.entries(asRecord(value['variables']) ?? {}).map(([name, text]): readonly [string, string] => [
      name,
      asText(text),
    ]),
  );
  return checked([...Object.entries(config?.machine?.env ?? {}), ...pairs], 'environment');
}

function checked(pairs: readonly (readonly [string, string])[], where: string): ConfiguredVariables {
  const wrong = pairs.filter(([name]) => !isVariableName(name));
  return {
    variables: Object.fromEntries(pairs.filter(([name]) => isVariableName(name))),
    problems: wrong.map(([name]) => `${where}: "${name.slice(0, 64)}" is no name of a variable`),
  };
}
