import type { JsonObject } from '@bloomery/model';
import { allow, EVENTS_AND_LEASES, OWN_DEFINITIONS, READ, STATUS, WRITE } from './roles.ts';

/** One clusterctl provider: a folder of deploy/clusterctl. */
export interface Provider {
  /** `infrastructure-sidero`: the folder, and the value of the provider label. */
  readonly label: string;
  /** In upstream's series, so that `clusterctl upgrade` goes from upstream's release to it. */
  readonly version: string;
  readonly componentsFile: string;
  readonly namespace: string;
  /** Prefix of the names of its objects. */
  readonly prefix: string;
  /** API groups whose definitions it brings. */
  readonly groups: readonly string[];
  /** Minor version of a series to Cluster API contract. */
  readonly contracts: readonly (readonly [minor: number, contract: string])[];
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly JsonObject[];
}

const CORE = 'cluster.x-k8s.io';
const BOOTSTRAP = 'bootstrap.cluster.x-k8s.io';
const CONTROL_PLANE = 'controlplane.cluster.x-k8s.io';
const INFRASTRUCTURE = 'infrastructure.cluster.x-k8s.io';
const METAL = 'metal.sidero.dev';
const SECRETS = allow('', ['secrets'], WRITE);
const READ_MACHINES = allow(CORE, ['clusters', 'clusters/status', 'machines', 'machines/status'], READ);

/** Everything that is written under deploy/clusterctl. */
export const PROVIDERS: readonly Provider[] = [
  {
    label: 'infrastructure-sidero',
    version: 'v0.6.100',
    componentsFile: 'infrastructure-components.yaml',
    namespace: 'sidero-system',
    prefix: 'sidero',
    groups: [METAL, INFRASTRUCTURE],
    contracts: [
      [1, 'v1alpha3'],
      [2, 'v1alpha3'],
      [3, 'v1alpha3'],
      [4, 'v1alpha4'],
      [5, 'v1beta1'],
      [6, 'v1beta1'],
    ],
    labels: {
      app: 'sidero',
      'cluster.x-k8s.io/provider': 'sidero',
      'cluster.x-k8s.io/v1alpha3': 'v1alpha3',
      'cluster.x-k8s.io/v1alpha4': 'v1alpha3',
      'cluster.x-k8s.io/v1beta1': 'v1alpha3',
    },
    rules: [
      ...EVENTS_AND_LEASES,
      SECRETS,
      READ_MACHINES,
      allow('', ['namespaces'], READ),
      allow(INFRASTRUCTURE, ['metalclusters', 'metalmachines', 'metalmachinetemplates', 'serverbindings'], WRITE),
      allow(INFRASTRUCTURE, ['metalclusters/status', 'metalmachines/status', 'serverbindings/status'], STATUS),
      allow(METAL, ['environments', 'serverclasses', 'servers'], WRITE),
      allow(METAL, ['environments/status', 'serverclasses/status', 'servers/status'], STATUS),
      allow(BOOTSTRAP, ['talosconfigs'], READ),
      // Who asks for logs and metrics is asked about.
      allow('authentication.k8s.io', ['tokenreviews'], ['create']),
      allow('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
      ...OWN_DEFINITIONS,
    ],
  },
  {
    label: 'bootstrap-talos',
    version: 'v0.6.100',
    componentsFile: 'bootstrap-components.yaml',
    namespace: 'cabpt-system',
    prefix: 'cabpt',
    groups: [BOOTSTRAP],
    contracts: [
      [5, 'v1beta1'],
      [6, 'v1beta1'],
      [7, 'v1beta2'],
    ],
    labels: { 'cluster.x-k8s.io/provider': 'bootstrap-talos', 'cluster.x-k8s.io/v1beta1': 'v1alpha3' },
    rules: [
      ...EVENTS_AND_LEASES,
      SECRETS,
      READ_MACHINES,
      allow(CORE, ['machinepools', 'machinepools/status', 'machinedeployments'], READ),
      allow(CONTROL_PLANE, ['taloscontrolplanes'], READ),
      allow(BOOTSTRAP, ['talosconfigs', 'talosconfigtemplates'], WRITE),
      allow(BOOTSTRAP, ['talosconfigs/status'], STATUS),
      ...OWN_DEFINITIONS,
    ],
  },
  {
    label: 'control-plane-talos',
    version: 'v0.5.100',
    componentsFile: 'control-plane-components.yaml',
    namespace: 'cacppt-system',
    prefix: 'cacppt',
    groups: [CONTROL_PLANE],
    contracts: [
      [4, 'v1beta1'],
      [5, 'v1beta1'],
    ],
    labels: { 'cluster.x-k8s.io/provider': 'control-plane-talos', 'cluster.x-k8s.io/v1beta1': 'v1alpha3' },
    rules: [
      ...EVENTS_AND_LEASES,
      SECRETS,
      allow(CORE, ['clusters', 'clusters/status', 'machinesets', 'machinedeployments'], READ),
      allow(CORE, ['machines'], WRITE),
      allow(CORE, ['machines/status'], STATUS),
      // It clones the template of whatever infrastructure there is.
      allow(INFRASTRUCTURE, ['*'], WRITE),
      allow(BOOTSTRAP, ['talosconfigs'], WRITE),
      allow(CONTROL_PLANE, ['taloscontrolplanes'], WRITE),
      allow(CONTROL_PLANE, ['taloscontrolplanes/status'], STATUS),
      ...OWN_DEFINITIONS,
    ],
  },
];
