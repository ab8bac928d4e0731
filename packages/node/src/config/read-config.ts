import { checkNodeConfig, type LoadedNodeConfig, normalText } from './load-node-config.ts';
import { unifiedDiff } from './unified-diff.ts';

/** A configuration to read. */
export interface ConfigQuestion {
  readonly text: string;
  /** What it is compared with: a configuration that was read before. */
  readonly inForce?: string;
  /** Of the comparison. */
  readonly hideSecrets?: boolean;
}

/** A configuration that was read. All of it is plain values. */
export interface ConfigReading extends LoadedNodeConfig {
  /** What it changes of `inForce`; empty when nothing. */
  readonly diff: string;
}

/** Read a configuration: takes seconds, and a hundred times its size, when it has megabytes. @throws as checkNodeConfig */
export function readConfig({ text, inForce = text, hideSecrets = false }: ConfigQuestion): ConfigReading {
  const loaded = checkNodeConfig(text);
  const normal = (of: string): string => normalText(of, { hideSecrets });
  // What is the same as it was written need not be read twice more.
  return { ...loaded, diff: text === inForce ? '' : unifiedDiff(normal(inForce), normal(text)) };
}
