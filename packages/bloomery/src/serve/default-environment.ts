import { readFileSync } from 'node:fs';
import { type Environment, environment, environmentDefaultSpec, isJsonObject } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { kubeJson, readYamlDocument } from '@bloomery/talos';

type EnvironmentSpec = NonNullable<Environment['spec']>;

/** The Talos release of the built-in default Environment. */
export const TALOS_RELEASE = 'v1.13.0';

/**
 * Spec of the Environment `default`: the built-in one, or that of a manifest file.
 *
 * @throws BLM_SERVE_ENVIRONMENT when the file is no Environment.
 */
export function defaultEnvironmentSpec(file: string | undefined): EnvironmentSpec {
  if (file === undefined) return environmentDefaultSpec(TALOS_RELEASE);
  const refuse = (why: string): BloomeryError =>
    new BloomeryError('BLM_SERVE_ENVIRONMENT', `reading the default Environment from ${file}: ${why}`, {
      facts: { file },
    });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause));
  }
  const document = kubeJson(readYamlDocument(text, { code: 'BLM_SERVE_ENVIRONMENT', what: file }));
  if (!isJsonObject(document) || document['kind'] !== environment.kind || !isJsonObject(document['spec'])) {
    throw refuse('it holds no object of kind Environment with a spec');
  }
  // The API checks it against the schema when the Environment is created from it.
  return document['spec'] as EnvironmentSpec;
}
