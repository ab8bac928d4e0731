import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { listAt, textAt } from '../json-parts.ts';
import {
  AGE_COLUMN,
  at,
  type ComputedColumn,
  CREATED_COLUMN,
  column,
  labelsText,
  NONE,
  selectorText,
  size,
  text,
  textColumn,
  UNSET,
  wide,
} from './cells.ts';

/** Shown of a list before the rest is counted. */
const SHOWN = 3;

/** Columns of nodes, networks, storage and extensions, as kube-apiserver prints them. */
export const CLUSTER_TABLES: { readonly [kind: string]: readonly ComputedColumn[] } = {
  '/Endpoints': [column('Endpoints', endpoints), AGE_COLUMN],
  '/LimitRange': [CREATED_COLUMN],
  '/Node': [
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    AGE_COLUMN,
    textColumn('Version', ['status', 'nodeInfo', 'kubeletVersion']),
    wide(column('Internal-IP', (node) => address(node, 'InternalIP'))),
    wide(column('External-IP', (node) => address(node, 'ExternalIP'))),
    wide(textColumn('OS-Image', ['status', 'nodeInfo', 'osImage'], '<unknown>')),
    wide(textColumn('Kernel-Version', ['status', 'nodeInfo', 'kernelVersion'], '<unknown>')),
    wide(textColumn('Container-Runtime', ['status', 'nodeInfo', 'containerRuntimeVersion'], '<unknown>')),
  ],
  '/PersistentVolume': [
    textColumn('Capacity', ['spec', 'capacity', 'storage']),
    column('Access Modes', (volume) => accessModes(at(volume, 'spec', 'accessModes'))),
    textColumn('Reclaim Policy', ['spec', 'persistentVolumeReclaimPolicy']),
    column('Status', phase),
    column('Claim', (volume) => namespaced(at(volume, 'spec', 'claimRef'))),
    textColumn('StorageClass', ['spec', 'storageClassName']),
    textColumn('VolumeAttributesClass', ['spec', 'volumeAttributesClassName'], UNSET),
    textColumn('Reason', ['status', 'reason']),
    AGE_COLUMN,
    wide(textColumn('VolumeMode', ['spec', 'volumeMode'], UNSET)),
  ],
  '/PersistentVolumeClaim': [
    column('Status', phase),
    textColumn('Volume', ['spec', 'volumeName']),
    column('Capacity', (claim) =>
      textAt(claim, 'spec', 'volumeName') === '' ? '' : textAt(claim, 'status', 'capacity', 'storage'),
    ),
    column('Access Modes', (claim) =>
      textAt(claim, 'spec', 'volumeName') === '' ? '' : accessModes(at(claim, 'status', 'accessModes')),
    ),
    textColumn('StorageClass', ['spec', 'storageClassName']),
    textColumn('VolumeAttributesClass', ['spec', 'volumeAttributesClassName'], UNSET),
    AGE_COLUMN,
    wide(textColumn('VolumeMode', ['spec', 'volumeMode'], UNSET)),
  ],
  '/ResourceQuota': [
    column('Request', (quota) => usage(quota, false)),
    column('Limit', (quota) => usage(quota, true)),
    AGE_COLUMN,
  ],
  '/Service': [
    textColumn('Type', ['spec', 'type']),
    textColumn('Cluster-IP', ['spec', 'clusterIP'], NONE),
    column('External-IP', externalAddress),
    column('Port(s)', servicePorts),
    AGE_COLUMN,
    wide(column('Selector', (service) => labelsText(at(service, 'spec', 'selector')))),
  ],
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhookColumns(),
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhookColumns(),
  'apiregistration.k8s.io/APIService': [
    column('Service', (object) => namespaced(at(object, 'spec', 'service')) || 'Local'),
    column('Available', availability),
    AGE_COLUMN,
  ],
  'discovery.k8s.io/EndpointSlice': [
    textColumn('AddressType', ['addressType']),
    column('Ports', (slice) => some(listAt(slice, 'ports').map(slicePort), UNSET)),
    column('Endpoints', (slice) =>
      some(
        listAt(slice, 'endpoints').flatMap((one) => listAt(one, 'addresses').map(String)),
        UNSET,
      ),
    ),
    AGE_COLUMN,
  ],
  'networking.k8s.io/Ingress': [
    textColumn('Class', ['spec', 'ingressClassName'], NONE),
    column('Hosts', ingressHosts),
    column('Address', (ingress) =>
      listAt(ingress, 'status', 'loadBalancer', 'ingress')
        .map((one) => textAt(one, 'ip') || textAt(one, 'hostname'))
        .join(','),
    ),
    column('Ports', (ingress) => (size(at(ingress, 'spec', 'tls')) > 0 ? '80, 443' : '80')),
    AGE_COLUMN,
  ],
  'networking.k8s.io/IngressClass': [
    textColumn('Controller', ['spec', 'controller']),
    column('Parameters', (object) => parameters(at(object, 'spec', 'parameters'))),
    AGE_COLUMN,
  ],
  'networking.k8s.io/NetworkPolicy': [
    column('Pod-Selector', (policy) => selectorText(at(policy, 'spec', 'podSelector'))),
    AGE_COLUMN,
  ],
  'storage.k8s.io/CSIDriver': [
    flag('AttachRequired', 'attachRequired'),
    flag('PodInfoOnMount', 'podInfoOnMount'),
    flag('StorageCapacity', 'storageCapacity'),
    column(
      'TokenRequests',
      (driver) =>
        listAt(driver, 'spec', 'tokenRequests')
          .map((one) => textAt(one, 'audience'))
          .join(',') || UNSET,
    ),
    flag('RequiresRepublish', 'requiresRepublish'),
    column('Modes', (driver) => listAt(driver, 'spec', 'volumeLifecycleModes').map(String).join(',') || NONE),
    AGE_COLUMN,
  ],
  'storage.k8s.io/StorageClass': [
    { ...column('Name', className), format: 'name' },
    textColumn('Provisioner', ['provisioner']),
    textColumn('ReclaimPolicy', ['reclaimPolicy'], 'Delete'),
    textColumn('VolumeBindingMode', ['volumeBindingMode'], 'Immediate'),
    column('AllowVolumeExpansion', (object) => at(object, 'allowVolumeExpansion') === true),
    AGE_COLUMN,
  ],
};

function webhookColumns(): readonly ComputedColumn[] {
  return [{ name: 'Webhooks', of: 'integer', cell: (object) => size(at(object, 'webhooks')) }, AGE_COLUMN];
}

function flag(name: string, field: string): ComputedColumn {
  return { name, of: 'boolean', cell: (object) => at(object, 'spec', field) === true };
}

function className(object: JsonObject): string {
  const isDefault = textAt(object, 'metadata', 'annotations', 'storageclass.kubernetes.io/is-default-class') === 'true';
  return `${textAt(object, 'metadata', 'name')}${isDefault ? ' (default)' : ''}`;
}

function some(texts: readonly string[], absent: string): string {
  if (texts.length === 0) return absent;
  const more = texts.length > SHOWN ? ` + ${texts.length - SHOWN} more...` : '';
  return `${texts.slice(0, SHOWN).join(',')}${more}`;
}

function endpoints(object: JsonObject): string {
  const all = listAt(object, 'subsets').flatMap((subset) => {
    const ips = listAt(subset, 'addresses').map((one) => textAt(one, 'ip'));
    const ports = listAt(subset, 'ports');
    return ports.length === 0
      ? ips
      : ports.flatMap((port) => ips.map((ip) => `${ip}:${String(at(port, 'port') ?? '')}`));
  });
  return some(all, NONE);
}

function slicePort(port: Json): string {
  const number = at(port, 'port');
  return number === undefined ? textAt(port, 'name') || '*' : String(number);
}

function nodeStatus(node: JsonObject): string {
  const ready = listAt(node, 'status', 'conditions').find((condition) => at(condition, 'type') === 'Ready');
  const state = ready === undefined ? 'Unknown' : at(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return at(node, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

const ROLE = 'node-role.kubernetes.io/';

function nodeRoles(node: JsonObject): string {
  const labels = at(node, 'metadata', 'labels');
  const roles = (isJsonObject(labels) ? Object.entries(labels) : []).flatMap(([key, value]) => {
    if (key.startsWith(ROLE) && key.length > ROLE.length) return [key.slice(ROLE.length)];
    return key === 'kubernetes.io/role' && typeof value === 'string' && value !== '' ? [value] : [];
  });
  return [...new Set(roles)].sort().join(',') || NONE;
}

function address(node: JsonObject, type: string): string {
  const found = listAt(node, 'status', 'addresses').find((one) => at(one, 'type') === type);
  return textAt(found, 'address') || NONE;
}

const MODES: { readonly [mode: string]: string } = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function accessModes(modes: Json | undefined): string {
  const given = new Set(Array.isArray(modes) ? modes : []);
  return Object.entries(MODES)
    .filter(([mode]) => given.has(mode))
    .map(([, short]) => short)
    .join(',');
}

function phase(object: JsonObject): string {
  return at(object, 'metadata', 'deletionTimestamp') === undefined ? textAt(object, 'status', 'phase') : 'Terminating';
}

/** `namespace/name`, '' for no reference. */
function namespaced(reference: Json | undefined): string {
  return isJsonObject(reference) ? `${textAt(reference, 'namespace')}/${textAt(reference, 'name')}` : '';
}

function usage(quota: JsonObject, ofLimits: boolean): string {
  const hard = at(quota, 'status', 'hard');
  const shown = isJsonObject(hard) ? Object.keys(hard).sort() : [];
  return shown
    .filter((name) => name.startsWith('limits.') === ofLimits)
    .map((name) => `${name}: ${quantity(at(quota, 'status', 'used', name))}/${quantity(at(hard, name))}`)
    .join(', ');
}

function quantity(value: Json | undefined): string {
  return value === undefined ? '0' : String(value);
}

function externalAddress(service: JsonObject): string {
  const given = listAt(service, 'spec', 'externalIPs').map(String);
  switch (textAt(service, 'spec', 'type')) {
    case 'ExternalName':
      return textAt(service, 'spec', 'externalName') || NONE;
    case 'LoadBalancer': {
      const balanced = listAt(service, 'status', 'loadBalancer', 'ingress').map(
        (one) => textAt(one, 'ip') || textAt(one, 'hostname'),
      );
      return [...balanced, ...given].join(',') || '<pending>';
    }
    default:
      return given.join(',') || NONE;
  }
}

function servicePorts(service: JsonObject): string {
  const ports = listAt(service, 'spec', 'ports').map((port) => {
    const node = at(port, 'nodePort');
    const number = String(at(port, 'port') ?? '');
    return `${number}${node === undefined || node === 0 ? '' : `:${String(node)}`}/${textAt(port, 'protocol') || 'TCP'}`;
  });
  return ports.join(',') || NONE;
}

function availability(object: JsonObject): string {
  const found = listAt(object, 'status', 'conditions').find((one) => at(one, 'type') === 'Available');
  if (found === undefined) return 'Unknown';
  const status = textAt(found, 'status');
  const reason = text(at(found, 'reason'));
  return status === 'True' || reason === undefined ? status : `${status} (${reason})`;
}

function ingressHosts(ingress: JsonObject): string {
  const hosts = listAt(ingress, 'spec', 'rules').flatMap((rule) => textAt(rule, 'host') || []);
  return hosts.length === 0 ? '*' : some(hosts, '*');
}

function parameters(reference: Json | undefined): string {
  if (!isJsonObject(reference)) return NONE;
  const group = textAt(reference, 'apiGroup');
  return `${textAt(reference, 'kind')}${group === '' ? '' : `.${group}`}/${textAt(reference, 'name')}`;
}
