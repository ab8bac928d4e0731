import { parseGoUrl } from '../config/go-url.ts';
import { entriesOf, field, isYamlMap, type YamlMap } from '../yaml/index.ts';
import { baseSpecProblem } from './base-runtime-spec.ts';
import { validateCluster, validateCni } from './cluster.ts';
import { validateInterfaces } from './interfaces.ts';
import { annotationProblems, labelProblems, taintProblems } from './labels.ts';
import { isPrefix, isSubnetOrAddress } from './network-text.ts';
import { type Findings, flagAt, isSet, listAt, mapAt, mapsAt, numberAt, quoted, textAt, textsAt } from './section.ts';
import type { ValidateOptions } from './validate-config.ts';

type MachineRole = 'controlplane' | 'worker' | 'unknown';

interface Context {
  readonly machine: YamlMap;
  readonly cluster: YamlMap | undefined;
  readonly role: MachineRole;
  readonly found: Findings;
}

/** Validate the legacy document. */
export function validateLegacy(config: YamlMap, options: ValidateOptions, found: Findings): void {
  const machine = mapAt(config, 'machine');
  if (machine === undefined) {
    found.errors.push('machine instructions are required');
    return;
  }
  const cluster = mapAt(config, 'cluster');
  const context: Context = { machine, cluster, role: roleOf(textAt(machine, 'type')), found };
  validateCluster(cluster, context.role === 'controlplane', found);
  validateInstall(context, options);
  validateHostDns(context, options);
  validateType(context);
  validateRole(context);
  validateInterfaces(mapAt(machine, 'network'), found);
  validateKubeSpan(context);
  validateDisks(context);
  validateKubelet(context);
  validateEncryption(context);
  validateLogging(context);
  validateNode(context);
  validateFeatures(context);
  if (field(config, 'persist') === false) found.errors.push('.persist should be enabled');
  const spec = baseSpecProblem(mapAt(machine, 'baseRuntimeSpecOverrides'));
  if (spec !== undefined) found.errors.push(`failed to unmarshal base runtime spec overrides: ${spec}`);
  for (const part of ['config', 'mirrors']) {
    for (const [key, value] of entriesOf(mapAt(machine, 'registries', part) ?? {})) {
      if (value === null) found.errors.push(`registries.${part}[${quoted(key)}] is null`);
    }
  }
}

function roleOf(type: string): MachineRole {
  if (type === 'init' || type === 'controlplane') return 'controlplane';
  return type === 'worker' || type === 'join' || type === '' ? 'worker' : 'unknown';
}

function validateInstall({ machine, found }: Context, { mode, installDisk = 'required' }: ValidateOptions): void {
  const install = mapAt(machine, 'install');
  if (mode === 'metal' && install === undefined) {
    found.errors.push('install instructions are required in "metal" mode');
  }
  if (install === undefined) return;
  if (mode === 'metal') {
    const selector = mapAt(install, 'diskSelector');
    const problem = selector === undefined ? undefined : diskSelectorProblem(selector);
    if (problem !== undefined) found.errors.push(`install disk selector is invalid: ${problem}`);
    const hasDisk = textAt(install, 'disk') !== '' || (selector !== undefined && problem === undefined);
    if (!hasDisk && installDisk === 'required') {
      found.errors.push('either install disk or diskSelector should be defined');
    }
    if (listAt(install, 'extraKernelArgs').length > 0 && flagAt(install, 'grubUseUKICmdline')) {
      found.errors.push("install.extraKernelArgs and install.grubUseUKICmdline can't be used together");
    }
  }
  const images = mapsAt(install, 'extensions').map((extension) => textAt(extension, 'image'));
  for (const [at, image] of images.entries()) {
    if (images.indexOf(image) < at) found.errors.push(`duplicate system extension ${quoted(image)}`);
  }
  if (images.length > 0) {
    const place = 'https://docs.siderolabs.com/talos/latest/platform-specific-installations/boot-assets';
    found.warnings.push(`.machine.install.extensions is deprecated, please see ${place}`);
  }
}

const DISK_TYPES = ['', 'nvme', 'sd', 'hdd', 'ssd'];

function diskSelectorProblem(selector: YamlMap): string | undefined {
  if (textAt(selector, 'name') !== '') return 'selector on name is not supported';
  const type = textAt(selector, 'type');
  return DISK_TYPES.includes(type) ? undefined : `unsupported disk type ${quoted(type)}`;
}

function validateHostDns({ machine, found }: Context, { mode }: ValidateOptions): void {
  const hostDns = mapAt(machine, 'features', 'hostDNS');
  const isEnabled = flagAt(hostDns, 'enabled');
  const forwards = flagAt(hostDns, 'forwardKubeDNSToHost');
  if (mode === 'container' && !isEnabled) {
    found.errors.push('feature HostDNS should be enabled in container mode (.machine.features.hostDNS.enabled)');
  }
  if (mode === 'container' && !forwards) {
    found.errors.push(
      'feature HostDNS should forward kube-dns to host in container mode (.machine.features.hostDNS.forwardKubeDNSToHost)',
    );
  }
  if (forwards && !isEnabled) {
    found.errors.push(
      'feature hostDNS.forwardKubeDNSToHost requires hostDNS.enabled to be true (.machine.features.hostDNS)',
    );
  }
}

function validateType({ machine, role, found }: Context): void {
  const type = textAt(machine, 'type');
  if (role === 'worker' && type !== 'worker') {
    found.warnings.push(`use "worker" instead of ${quoted(type)} for machine type`);
  }
  if (!isSet(machine, 'ca') && listAt(machine, 'acceptedCAs').length === 0) {
    found.errors.push('issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs)');
  }
  if (role === 'unknown') found.errors.push(`unknown machine type ${quoted(type)}`);
}

function validateRole(context: Context): void {
  const { machine, cluster, role, found } = context;
  const ca = mapAt(machine, 'ca');
  if (role === 'controlplane') {
    validateCni(cluster, found);
    if (ca === undefined) found.errors.push('issuing CA is required (.machine.ca)');
    else if (textAt(ca, 'key') === '') {
      found.errors.push('issuing CA key is required for controlplane nodes (.machine.ca.key)');
    }
  }
  if (role !== 'worker') return;
  for (const device of mapsAt(mapAt(machine, 'network'), 'interfaces')) {
    for (const link of [device, ...mapsAt(device, 'vlans')]) {
      if (isSet(link, 'vip')) found.errors.push('virtual (shared) IP is not allowed on non-controlplane nodes');
    }
  }
  if (textAt(ca, 'key') !== '') {
    found.errors.push('issuing Talos API CA key is not allowed on non-controlplane nodes (.machine.ca)');
  }
  if (ca !== undefined && textAt(ca, 'crt') === '' && listAt(machine, 'acceptedCAs').length === 0) {
    found.errors.push(
      'trusted CA certificates are required on non-controlplane nodes (.machine.ca.crt, .machine.acceptedCAs)',
    );
  }
  if (textAt(mapAt(cluster, 'ca'), 'key') !== '') {
    found.errors.push('issuing Kubernetes API CA key is not allowed on non-controlplane nodes (.cluster.ca)');
  }
}

const MIN_KUBESPAN_MTU = 1280;

function validateKubeSpan({ machine, cluster, found }: Context): void {
  const kubeSpan = mapAt(machine, 'network', 'kubespan');
  if (!flagAt(kubeSpan, 'enabled')) return;
  const mtu = numberAt(kubeSpan, 'mtu');
  if (mtu !== 0 && mtu < MIN_KUBESPAN_MTU) {
    found.errors.push(`kubespan link MTU must be at least ${MIN_KUBESPAN_MTU}`);
  }
  if (!flagAt(mapAt(cluster, 'discovery'), 'enabled')) {
    found.errors.push('.cluster.discovery should be enabled when .machine.network.kubespan is enabled');
  }
  for (const key of ['id', 'secret']) {
    if (textAt(cluster, key) === '') {
      found.errors.push(`.cluster.${key} should be set when .machine.network.kubespan is enabled`);
    }
  }
  const filters = mapAt(kubeSpan, 'filters');
  for (const cidr of textsAt(filters, 'endpoints')) {
    if (!isSubnetOrAddress(cidr)) {
      found.errors.push(`KubeSpan endpoint filter is not valid: ${quoted(cidr.replace(/^!/, ''))}`);
    }
  }
  for (const cidr of textsAt(filters, 'excludeAdvertisedNetworks')) {
    if (!isPrefix(cidr)) {
      found.errors.push(`KubeSpan exclude advertised networks filter is not valid: ${quoted(cidr)}`);
    }
  }
}

function validateDisks({ machine, found }: Context): void {
  for (const [at, disk] of listAt(machine, 'disks').entries()) {
    if (!isYamlMap(disk)) {
      found.errors.push(`machine.disks[${at}] is null`);
      continue;
    }
    for (const partition of mapsAt(disk, 'partitions').slice(0, -1)) {
      if (isSet(partition, 'size')) continue;
      const why = "is set to occupy full disk, but it's not the last partition in the list";
      found.errors.push(`partition for disk ${quoted(textAt(disk, 'device'))} ${why}`);
    }
  }
}

const PROTECTED_KUBELET_FIELDS = [
  'apiVersion',
  'authentication',
  'authorization',
  'cgroupRoot',
  'kind',
  'kubeletCgroups',
  'port',
  'protectKernelDefaults',
  'resolvConf',
  'rotateCertificates',
  'systemCgroups',
  'staticPodPath',
  'seccompDefault',
];

function validateKubelet({ machine, found }: Context): void {
  const kubelet = mapAt(machine, 'kubelet');
  for (const cidr of textsAt(mapAt(kubelet, 'nodeIP'), 'validSubnets')) {
    if (!isSubnetOrAddress(cidr)) {
      found.errors.push(`kubelet nodeIP subnet is not valid: ${quoted(cidr.replace(/^!/, ''))}`);
    }
  }
  const extra = mapAt(kubelet, 'extraConfig') ?? {};
  for (const name of PROTECTED_KUBELET_FIELDS) {
    if (field(extra, name) !== undefined) {
      found.errors.push(`kubelet configuration field ${quoted(name)} can't be overridden`);
    }
  }
}

const KEY_TYPES = ['static', 'nodeID', 'kms', 'tpm'];

function validateEncryption({ machine, found }: Context): void {
  for (const label of ['EPHEMERAL', 'STATE']) {
    const partition = mapAt(machine, 'systemDiskEncryption', label.toLowerCase());
    if (partition === undefined) continue;
    const keys = mapsAt(partition, 'keys');
    const of = `partition ${quoted(label)}:`;
    if (keys.length === 0) found.errors.push(`${of} no encryption keys provided`);
    const slots = new Set<number>();
    for (const key of keys) {
      const slot = numberAt(key, 'slot');
      if (slots.has(slot)) found.errors.push(`${of} encryption key slot ${slot} is already in use`);
      slots.add(slot);
      if (!KEY_TYPES.some((type) => isSet(key, type))) {
        found.errors.push(`${of} encryption key at slot ${slot} doesn't have the configuration parameters`);
      }
    }
  }
}

function validateLogging({ machine, found }: Context): void {
  for (const destination of mapsAt(mapAt(machine, 'logging'), 'destinations')) {
    const url = isSet(destination, 'endpoint') ? parseGoUrl(textAt(destination, 'endpoint')) : undefined;
    if (url === undefined || 'problem' in url) found.errors.push('empty logging endpoint');
    else {
      if (url.host === '') found.errors.push("empty logging endpoint's host");
      if (url.scheme !== 'tcp' && url.scheme !== 'udp') {
        found.errors.push(`unexpected logging endpoint scheme ${quoted(url.scheme)}`);
      }
    }
    const format = textAt(destination, 'format');
    if (format !== 'json_lines') found.errors.push(`unknown logging format ${quoted(format)}`);
  }
}

function validateNode({ machine, found }: Context): void {
  const of = (what: string, problems: readonly string[]): void => {
    found.errors.push(...problems.map((problem) => `invalid machine node ${what}: ${problem}`));
  };
  of('labels', labelProblems(mapAt(machine, 'nodeLabels')));
  of('annotations', annotationProblems(mapAt(machine, 'nodeAnnotations')));
  of('taints', taintProblems(mapAt(machine, 'nodeTaints')));
}

const ROLES = ['admin', 'operator', 'reader', 'etcd:backup', 'image:verifier', 'meta:writer', 'impersonator'];

function validateFeatures({ machine, role, found }: Context): void {
  const features = mapAt(machine, 'features');
  const access = mapAt(features, 'kubernetesTalosAPIAccess');
  if (flagAt(access, 'enabled')) {
    if (role !== 'controlplane') {
      found.errors.push('feature Kubernetes Talos API Access can only be enabled on control plane machines');
    }
    for (const allowed of textsAt(access, 'allowedRoles')) {
      if (!ROLES.some((name) => allowed === `os:${name}`)) {
        found.errors.push(`invalid role ${quoted(allowed)} in allowed roles for Kubernetes Talos API Access`);
      }
    }
  }
  const algorithm = textAt(features, 'nodeAddressSortAlgorithm');
  if (algorithm !== '' && !/^v[12]$/i.test(algorithm)) {
    const why = `${algorithm.slice(0, 100)} does not belong to AddressSortAlgorithm values`;
    found.errors.push(`invalid node address sort algorithm: ${why}`);
  }
}
