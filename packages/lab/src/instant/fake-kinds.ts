import type { ObjectClient } from '@bloomery/kube';
import { crdOf, defineKind, type KindRef, type KubeObject, type ObjectOf, schema } from '@bloomery/model';
import { BloomeryError, type Clock, isBloomeryError } from '@bloomery/ports';

const { boolean, integer, list, object, openObject, string } = schema;

/** The two contracts of Cluster API between core and providers. */
export type Contract = 'v1beta1' | 'v1beta2';

const GROUP = 'infrastructure.cluster.x-k8s.io';
const VERSION = 'v1beta1';
const initialization = object({}, { provisioned: boolean() });
const machineSpec = object({}, { providerID: string(), failureDomain: string() });

/** Infrastructure of a cluster that does not exist. */
export const fakeCluster = defineKind({
  group: GROUP,
  version: VERSION,
  kind: 'FakeCluster',
  plural: 'fakeclusters',
  scope: 'Namespaced',
  categories: ['cluster-api'],
  description: 'A simulated cluster: its Kubernetes API is a small one at an address of this host.',
  columns: [{ name: 'Ready', path: '.status.ready', of: 'boolean' }],
  properties: {
    spec: object({}, { controlPlaneEndpoint: object({}, { host: string(), port: integer() }) }),
    status: object({}, { ready: boolean(), initialization, conditions: list(openObject()) }),
  },
});

/** A machine that does not exist. */
export const fakeMachine = defineKind({
  group: GROUP,
  version: VERSION,
  kind: 'FakeMachine',
  plural: 'fakemachines',
  scope: 'Namespaced',
  categories: ['cluster-api'],
  description: 'A simulated machine: a Talos API at an address of this host, and a Node.',
  columns: [
    { name: 'Ready', path: '.status.ready', of: 'boolean' },
    { name: 'ProviderID', path: '.spec.providerID', of: 'string' },
  ],
  properties: {
    spec: machineSpec,
    status: object(
      {},
      {
        ready: boolean(),
        initialization,
        addresses: list(object({ type: string(), address: string() }, {})),
        conditions: list(openObject()),
      },
    ),
  },
});

/** What FakeMachines are made from. */
export const fakeMachineTemplate = defineKind({
  group: GROUP,
  version: VERSION,
  kind: 'FakeMachineTemplate',
  plural: 'fakemachinetemplates',
  scope: 'Namespaced',
  categories: ['cluster-api'],
  description: 'What FakeMachines are made from.',
  statusSubresource: false,
  properties: {
    spec: object({ template: object({ spec: machineSpec }, { metadata: openObject() }) }, {}),
  },
});

export type FakeCluster = ObjectOf<typeof fakeCluster>;
export type FakeMachineObject = ObjectOf<typeof fakeMachine>;

const DEFINITIONS: KindRef = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  scope: 'Cluster',
};

const SERVED_WITHIN_MS = 20_000;
const LOOK_MS = 50;

/**
 * Install the definitions, as a user's provider brings its own, and wait until they are served.
 *
 * @throws BloomeryError BLM_API_UNAVAILABLE when they are not served after 20 s.
 */
export async function installFakeKinds(
  { client, clock }: { readonly client: ObjectClient; readonly clock: Clock },
  contract: Contract,
): Promise<void> {
  for (const kind of [fakeCluster, fakeMachine, fakeMachineTemplate]) {
    const definition = crdOf([kind]);
    const labels = { [`cluster.x-k8s.io/${contract}`]: VERSION, 'clusterctl.cluster.x-k8s.io': '' };
    const name = `${kind.plural}.${kind.group}`;
    const labelled = { ...definition, metadata: { name, labels } } as unknown as KubeObject;
    try {
      await client.create(DEFINITIONS, labelled);
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
    }
    await untilServed(client, kind, clock);
  }
}

async function untilServed(client: ObjectClient, kind: KindRef, clock: Clock): Promise<void> {
  const endMs = clock.nowMs() + SERVED_WITHIN_MS;
  while (clock.nowMs() < endMs) {
    try {
      await client.list(kind, { limit: 1 });
      return;
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
      await clock.sleep(LOOK_MS);
    }
  }
  throw new BloomeryError('BLM_API_UNAVAILABLE', `waiting for ${kind.plural}: not served after ${SERVED_WITHIN_MS} ms`);
}
