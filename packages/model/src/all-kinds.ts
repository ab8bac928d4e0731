import { talosConfig, talosConfigV1alpha2, talosConfigV1alpha3 } from './bootstrap/talos-config.ts';
import {
  talosConfigTemplate,
  talosConfigTemplateV1alpha2,
  talosConfigTemplateV1alpha3,
} from './bootstrap/talos-config-template.ts';
import { configMap } from './builtin/config-map.ts';
import { event } from './builtin/event.ts';
import { lease } from './builtin/lease.ts';
import { namespace } from './builtin/namespace.ts';
import { node } from './builtin/node.ts';
import { secret } from './builtin/secret.ts';
import { serviceAccount } from './builtin/service-account.ts';
import { talosControlPlane } from './controlplane/talos-control-plane.ts';
import { cluster } from './core/cluster.ts';
import { clusterV1beta2 } from './core/cluster-v1beta2.ts';
import { machine } from './core/machine.ts';
import { machineDeployment } from './core/machine-deployment.ts';
import { machineDeploymentV1beta2 } from './core/machine-deployment-v1beta2.ts';
import { machineHealthCheck } from './core/machine-health-check.ts';
import { machineHealthCheckV1beta2 } from './core/machine-health-check-v1beta2.ts';
import { machinePool } from './core/machine-pool.ts';
import { machineSet } from './core/machine-set.ts';
import { machineSetV1beta2 } from './core/machine-set-v1beta2.ts';
import { machineV1beta2 } from './core/machine-v1beta2.ts';
import { metalCluster, metalClusterV1alpha2 } from './infrastructure/metal-cluster.ts';
import { metalMachine, metalMachineV1alpha2 } from './infrastructure/metal-machine.ts';
import { metalMachineTemplate, metalMachineTemplateV1alpha2 } from './infrastructure/metal-machine-template.ts';
import { serverBinding } from './infrastructure/server-binding.ts';
import type { KindDefinition } from './kind.ts';
import { environment, environmentV1alpha1 } from './metal/environment.ts';
import { server } from './metal/server.ts';
import { serverClass } from './metal/server-class.ts';
import { serverClassV1alpha1 } from './metal/server-class-v1alpha1.ts';
import { serverV1alpha1 } from './metal/server-v1alpha1.ts';

/** Every kind that is a custom resource, every version; the versions of a kind stand together, preferred first. */
export const allKinds: readonly KindDefinition[] = [
  server,
  serverV1alpha1,
  serverClass,
  serverClassV1alpha1,
  environment,
  environmentV1alpha1,
  metalCluster,
  metalClusterV1alpha2,
  metalMachine,
  metalMachineV1alpha2,
  metalMachineTemplate,
  metalMachineTemplateV1alpha2,
  serverBinding,
  talosConfig,
  talosConfigV1alpha3,
  talosConfigV1alpha2,
  talosConfigTemplate,
  talosConfigTemplateV1alpha3,
  talosConfigTemplateV1alpha2,
  talosControlPlane,
  cluster,
  clusterV1beta2,
  machine,
  machineV1beta2,
  machineSet,
  machineSetV1beta2,
  machineDeployment,
  machineDeploymentV1beta2,
  machineHealthCheck,
  machineHealthCheckV1beta2,
  machinePool,
];

/** Kinds of Kubernetes itself that controllers work with. */
export const builtinKinds: readonly KindDefinition[] = [
  namespace,
  secret,
  configMap,
  event,
  serviceAccount,
  node,
  lease,
];
