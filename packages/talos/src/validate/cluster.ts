import { parseGoUrl } from '../config/go-url.ts';
import { entriesOf, field, scalarString, type YamlMap } from '../yaml/index.ts';
import { endpointProblem, isSubnetOrAddress } from './network-text.ts';
import { type Findings, flagAt, isSet, mapAt, mapsAt, quoted, textAt, textsAt } from './section.ts';

const DNS_NAME = /^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62}(\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*[._]?$/;
const MAX_DNS_CHARACTERS = 255;
const DEFAULT_DISCOVERY = 'https://discovery.talos.dev/';

/** Validate `cluster` of the legacy document. */
export function validateCluster(cluster: YamlMap | undefined, isControlPlane: boolean, found: Findings): void {
  if (cluster === undefined) {
    found.errors.push('cluster instructions are required');
    return;
  }
  const controlPlane = mapAt(cluster, 'controlPlane');
  if (!isSet(controlPlane, 'endpoint')) {
    found.errors.push('cluster controlplane endpoint is required');
    return;
  }
  const endpoint = endpointProblem(textAt(controlPlane, 'endpoint'));
  if (endpoint !== undefined) found.errors.push(`invalid controlplane endpoint: ${endpoint}`);
  const domain = textAt(mapAt(cluster, 'network'), 'dnsDomain');
  if (domain !== '' && !isDnsName(domain)) found.errors.push(`${quoted(domain)} is not a valid DNS name`);
  found.errors.push(...cloudProviderProblems(mapAt(cluster, 'externalCloudProvider')));
  const etcd = mapAt(cluster, 'etcd');
  if (etcd !== undefined) {
    found.errors.push(
      ...(isControlPlane ? etcdProblems(etcd) : ['etcd config is only allowed on control plane machines']),
    );
  }
  if (!isControlPlane && textAt(mapAt(cluster, 'ca'), 'key') !== '') {
    found.errors.push('cluster CA key is not allowed on non-controlplane nodes (.cluster.ca)');
  }
  found.errors.push(...manifestProblems(cluster), ...discoveryProblems(cluster), ...componentProblems(cluster));
}

function isDnsName(name: string): boolean {
  return name.replaceAll('.', '').length <= MAX_DNS_CHARACTERS && DNS_NAME.test(name.slice(0, 1000));
}

function cloudProviderProblems(provider: YamlMap | undefined): string[] {
  const manifests = textsAt(provider, 'manifests');
  if (!flagAt(provider, 'enabled')) {
    return manifests.length === 0 ? [] : ['external cloud provider is disabled, but manifests are provided'];
  }
  return manifests.flatMap((url) => {
    const problem = endpointProblem(url);
    return problem === undefined ? [] : [`invalid external cloud provider manifest url ${quoted(url)}: ${problem}`];
  });
}

function etcdProblems(etcd: YamlMap): string[] {
  const problems: string[] = [];
  if (!isSet(etcd, 'ca')) problems.push('key/cert combination should not be empty');
  const subnet = textAt(etcd, 'subnet');
  const advertised = textsAt(etcd, 'advertisedSubnets');
  if (subnet !== '' && advertised.length > 0) {
    problems.push("etcd subnet can't be set when advertised subnets are set");
  }
  const own = advertised.length > 0 ? advertised : subnet === '' ? [] : [subnet];
  const given = textsAt(etcd, 'listenSubnets');
  const lists = [
    ['advertised', own],
    ['listen', given.length > 0 ? given : advertised],
  ] as const;
  for (const [name, subnets] of lists) {
    for (const text of subnets) {
      if (!isSubnetOrAddress(text))
        problems.push(`etcd ${name} subnet is not valid: ${quoted(text.replace(/^!/, ''))}`);
    }
  }
  return problems;
}

function manifestProblems(cluster: YamlMap): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  for (const manifest of mapsAt(cluster, 'inlineManifests')) {
    const name = textAt(manifest, 'name');
    if (name.trim() === '') problems.push("inline manifest name can't be empty");
    if (names.has(name)) problems.push(`inline manifest name ${quoted(name)} is duplicate`);
    names.add(name);
  }
  return problems;
}

function discoveryProblems(cluster: YamlMap): string[] {
  const discovery = mapAt(cluster, 'discovery');
  const service = mapAt(discovery, 'registries', 'service');
  if (!flagAt(discovery, 'enabled') || flagAt(service, 'disabled')) return [];
  const given = textAt(service, 'endpoint');
  const url = parseGoUrl(given === '' ? DEFAULT_DISCOVERY : given, true);
  const problems: string[] = [];
  if ('problem' in url) problems.push(`cluster discovery service registry endpoint is invalid: ${url.problem}`);
  else if (url.path !== '' && url.path !== '/') problems.push('cluster discovery service path should be empty');
  for (const key of ['id', 'secret']) {
    if (textAt(cluster, key) === '') problems.push(`cluster discovery service requires .cluster.${key}`);
  }
  return problems;
}

const AUTHORIZERS = ['Node', 'RBAC', 'Webhook'];

function componentProblems(cluster: YamlMap): string[] {
  const apiServer = mapAt(cluster, 'apiServer');
  const components = [
    ['controller-manager', mapAt(cluster, 'controllerManager')],
    ['scheduler', mapAt(cluster, 'scheduler')],
  ] as const;
  const problems: string[] = [];
  const server =
    authorizationProblem(apiServer) ?? prefixed('apiserver resource validation failed', resourceProblem(apiServer));
  if (server !== undefined) problems.push(server);
  for (const [name, section] of components) {
    const problem = resourceProblem(section);
    if (problem !== undefined) problems.push(`${name} resource validation failed: ${problem}`);
  }
  return problems;
}

const prefixed = (prefix: string, problem: string | undefined): string | undefined =>
  problem === undefined ? undefined : `${prefix}: ${problem}`;

function authorizationProblem(apiServer: YamlMap | undefined): string | undefined {
  if (!isSet(apiServer, 'authorizationConfig')) return undefined;
  const flags = Object.keys(mapAt(apiServer, 'extraArgs') ?? {});
  const inConjunction = 'cannot be used in conjunction with AuthorizationConfig, use';
  if (flags.includes('authorization-mode')) {
    return `authorization-mode ${inConjunction} eitherr AuthorizationConfig or authorization-mode`;
  }
  if (flags.some((flag) => flag.startsWith('authorization-webhook-'))) {
    return `authorization-webhook-* flags ${inConjunction} either AuthorizationConfig or authorization-webhook-* flags`;
  }
  for (const authorizer of mapsAt(apiServer, 'authorizationConfig')) {
    const problem = authorizerProblem(textAt(authorizer, 'type'), textAt(authorizer, 'name'));
    if (problem !== undefined) return `apiserver authorization config validation failed: ${problem}`;
  }
  return undefined;
}

function authorizerProblem(type: string, name: string): string | undefined {
  if (type === '') return 'authorizer type must be set';
  if (name === '') return 'authorizer name must be set';
  if (AUTHORIZERS.includes(type)) return undefined;
  return `authorizer type ${type.slice(0, 100)} is not allowed, allowed types are [${AUTHORIZERS.join(' ')}]`;
}

function resourceProblem(component: YamlMap | undefined): string | undefined {
  for (const part of ['requests', 'limits']) {
    const keys = entriesOf(mapAt(component, 'resources', part) ?? {}).map(([key]) => key);
    const unknown = keys.find((key) => key !== 'cpu' && key !== 'memory');
    if (unknown !== undefined) return `unsupported pod resource ${quoted(unknown)}`;
  }
  return undefined;
}

const CNI_NAMES = ['flannel', 'custom', 'none'];

/** Validate `cluster.network.cni`; only control planes care. */
export function validateCni(cluster: YamlMap | undefined, found: Findings): void {
  const cni = mapAt(cluster, 'network', 'cni');
  const name = cni === undefined ? 'flannel' : (scalarString(field(cni, 'name')) ?? '');
  if (!CNI_NAMES.includes(name)) {
    found.errors.push(`cni name should be one of [${CNI_NAMES.map(quoted).join(', ')}]`);
    return;
  }
  const urls = textsAt(cni, 'urls');
  if (name !== 'custom' && urls.length > 0) found.errors.push(`"urls" field should be empty for ${quoted(name)} CNI`);
  if (name === 'custom' && urls.length === 0) {
    found.warnings.push(`"urls" field should not be empty for ${quoted(name)} CNI`);
  }
  if (name === 'flannel') return;
  const flannel = mapAt(cni, 'flannel');
  if (textsAt(flannel, 'extraArgs').length > 0) {
    found.errors.push(`"flanneldExtraArgs" field should be empty for ${quoted(name)} CNI`);
  }
  if (flagAt(flannel, 'kubeNetworkPoliciesEnabled')) {
    found.errors.push(`"flannelKubeNetworkPoliciesEnabled" should not be enabled for ${quoted(name)} CNI`);
  }
  if (name === 'custom') found.errors.push(...urls.map(endpointProblem).filter((problem) => problem !== undefined));
}
