import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeDocuments } from '../config/index.ts';
import { loadSecretsBundle } from '../secrets/index.ts';
import { readVectors } from '../testing/vectors.ts';
import { readYaml, talosJson, writeYamlDocuments } from '../yaml/index.ts';
import { type GenerateOptions, generateConfig, machineTypeOf, parseVersionContract } from './index.ts';

interface GenerateCase {
  readonly input: {
    readonly name: string;
    readonly bundle: string;
    readonly clusterName: string;
    readonly endpoint: string;
    readonly kubernetesVersion: string;
    readonly talosVersion: string;
    readonly machineType: string;
    readonly dnsDomain?: string;
    readonly podCIDRBlocks?: readonly string[];
    readonly serviceCIDRBlocks?: readonly string[];
    readonly options?: GenerateOptions;
  };
  readonly documents: unknown;
}

const file = readVectors<GenerateCase>('cluster/config-generate.json');
const bundles = (file?.common as { readonly bundles?: Readonly<Record<string, string>> } | undefined)?.bundles ?? {};

function generate({ input }: GenerateCase): unknown {
  const machineType = machineTypeOf(input.machineType);
  assert.ok(machineType !== undefined);
  const documents = generateConfig({
    bundle: loadSecretsBundle(bundles[input.bundle] ?? input.bundle),
    clusterName: input.clusterName,
    endpoint: input.endpoint,
    kubernetesVersion: input.kubernetesVersion,
    contract: parseVersionContract(input.talosVersion),
    machineType,
    ...(input.dnsDomain === undefined ? {} : { dnsDomain: input.dnsDomain }),
    ...(input.podCIDRBlocks === undefined ? {} : { podSubnets: input.podCIDRBlocks }),
    ...(input.serviceCIDRBlocks === undefined ? {} : { serviceSubnets: input.serviceCIDRBlocks }),
    ...(input.options === undefined ? {} : { options: input.options }),
  });
  return readYaml(writeYamlDocuments(encodeDocuments(documents))).map(talosJson);
}

describe('cluster/config-generate.json', { skip: file === undefined }, () => {
  for (const vector of file?.cases ?? []) {
    it(vector.input.name, () => assert.deepEqual(generate(vector), vector.documents));
  }
});
