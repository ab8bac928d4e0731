import { randomBytes } from 'node:crypto';
import type { TalosCredentials } from '../api/talos-api.ts';
import { encodeDocuments } from '../config/index.ts';
import { generateConfig, type MachineType } from '../generate/index.ts';
import { createSecretsBundle, createTalosconfig, type SecretsBundle } from '../secrets/index.ts';
import { field, isYamlMap, readYaml, scalarString, writeYamlDocuments } from '../yaml/index.ts';

/** The secrets of a cluster that exists in a test only, and what is made from them. */
export interface FakeClusterSecrets {
  readonly bundle: SecretsBundle;
  /** A machine configuration, YAML. */
  config(machineType: MachineType): string;
  /** A client's; os:admin unless roles are given. */
  credentials(roles?: readonly string[]): Promise<TalosCredentials>;
}

const CONTRACT = { major: 1, minor: 11 };
/** Before 1.7 the service account key is no RSA-4096 key, which would take a second. */
const SECRETS_CONTRACT = { major: 1, minor: 6 };

/** New secrets of a cluster whose Kubernetes API is there. */
export async function createFakeClusterSecrets(endpoint = 'https://127.0.0.1:6443'): Promise<FakeClusterSecrets> {
  const nowMs = Date.now();
  const bundle = await createSecretsBundle({ contract: SECRETS_CONTRACT, nowMs, random: randomBytes });
  const clusterName = 'test';
  return {
    bundle,
    config: (machineType) =>
      writeYamlDocuments(
        encodeDocuments(
          generateConfig({
            bundle,
            clusterName,
            endpoint,
            kubernetesVersion: '1.33.0',
            contract: CONTRACT,
            machineType,
          }),
        ),
      ),
    credentials: async (roles) => {
      const talosconfig = await createTalosconfig({
        bundle,
        clusterName,
        endpoints: [],
        nowMs,
        random: randomBytes,
        ...(roles === undefined ? {} : { roles }),
      });
      return readTalosconfigContext(talosconfig, clusterName);
    },
  };
}

function readTalosconfigContext(talosconfig: string, name: string): TalosCredentials {
  const tree = readYaml(talosconfig, { what: 'talosconfig' })[0];
  const contexts = isYamlMap(tree) ? field(tree, 'contexts') : undefined;
  const context = isYamlMap(contexts) ? field(contexts, name) : undefined;
  const part = (key: string): string =>
    Buffer.from((isYamlMap(context) ? scalarString(field(context, key)) : undefined) ?? '', 'base64').toString();
  return { ca: part('ca'), crt: part('crt'), key: part('key') };
}
