import { isIP } from 'node:net';
import { parseGoUrl } from '../config/go-url.ts';
import { field, type YamlMap } from '../yaml/index.ts';
import type { DocumentValidators } from './documents.ts';
import { needName, reservedTable } from './link-documents.ts';
import { isPrefix, isSubnetOrAddress } from './network-text.ts';
import { type Findings, isSet, listAt, mapAt, mapsAt, numberAt, quoted, textAt, textsAt } from './section.ts';

/** Documents about addresses, names, routes and firewalls. */
export const NETWORK_DOCUMENTS: DocumentValidators = {
  BlackholeRouteConfig: (document, found) => {
    needName(document, found);
    if (!isPrefix(textAt(document, 'name'))) found.errors.push('name must be a valid address prefix');
  },
  DHCPv4Config: dhcp,
  DHCPv6Config: dhcp,
  HCloudVIPConfig: (document, found) => {
    virtualAddress(document, found);
    if (textAt(document, 'apiToken') === '') found.errors.push('apiToken must be specified');
  },
  Layer2VIPConfig: virtualAddress,
  HostnameConfig: hostname,
  KubeSpanConfig: kubeSpan,
  NetworkRuleConfig: networkRule,
  RoutingRuleConfig: routingRule,
  SideroLinkConfig: sideroLink,
  StaticHostConfig: (document, found) => {
    needName(document, found, 'name is required');
    if (isIP(textAt(document, 'name')) === 0) found.errors.push('name must be a valid IP address');
    if (listAt(document, 'hostnames').length === 0) found.errors.push('at least one hostname is required');
  },
  TCPProbeConfig: probe,
  TimeSyncConfig: (document, found) => {
    if (isNegative(document, 'bootTimeout')) found.errors.push('bootTimeout cannot be negative');
    if (isSet(document, 'ntp') && isSet(document, 'ptp')) {
      found.errors.push('only one of ntp or ptp configuration can be specified');
    }
  },
};

const isNegative = (document: YamlMap, key: string): boolean => textAt(document, key).startsWith('-');

function dhcp(document: YamlMap, found: Findings): void {
  needName(document, found);
  const isDuid = textAt(document, 'clientIdentifier') === 'duid';
  const hasDuid = isSet(document, 'duidRaw');
  if (hasDuid && !isDuid) found.errors.push("duidRaw can only be set if clientIdentifier is 'duid'");
  if (isDuid && !hasDuid) found.errors.push("duidRaw must be set if clientIdentifier is 'duid'");
}

function virtualAddress(document: YamlMap, found: Findings): void {
  const name = textAt(document, 'name');
  if (name === '') found.errors.push('name must be specified');
  else if (isIP(name) === 0) {
    found.errors.push(`name must be a valid IP address: ParseAddr(${quoted(name)}): unable to parse IP`);
  }
  if (textAt(document, 'link') === '') found.errors.push('link must be specified');
}

const MAX_FQDN_CHARACTERS = 253;
const MAX_LABEL_CHARACTERS = 63;

function hostname(document: YamlMap, found: Findings): void {
  const name = textAt(document, 'hostname');
  const auto = textAt(document, 'auto');
  const isOff = auto === '' || auto === 'off';
  if (!isSet(document, 'auto') && name === '') found.errors.push("either 'auto' or 'hostname' must be set");
  if (!isOff && name !== '') found.errors.push("'auto' and 'hostname' cannot be set at the same time");
  if (!isOff && auto !== 'stable') found.errors.push(`invalid value for 'auto': ${auto.slice(0, 100)}`);
  if (name === '') return;
  if (name.length > MAX_FQDN_CHARACTERS) found.errors.push(`fqdn is too long: ${name.length}`);
  const [label = ''] = name.split('.', 1);
  if (label === '' || label.length > MAX_LABEL_CHARACTERS) found.errors.push(`invalid hostname ${quoted(label)}`);
}

const MIN_KUBESPAN_MTU = 1280;

function kubeSpan(document: YamlMap, found: Findings): void {
  if (isSet(document, 'mtu') && numberAt(document, 'mtu') < MIN_KUBESPAN_MTU) {
    found.errors.push(`kubespan link MTU must be at least ${MIN_KUBESPAN_MTU}`);
  }
  for (const cidr of textsAt(mapAt(document, 'filters'), 'endpoints')) {
    if (!isSubnetOrAddress(cidr)) {
      found.errors.push(`KubeSpan endpoint filter is not valid: ${quoted(cidr.replace(/^!/, ''))}`);
    }
  }
}

function networkRule(document: YamlMap, found: Findings): void {
  const ports = textsAt(mapAt(document, 'portSelector'), 'ports');
  if (textAt(document, 'name') === '') found.errors.push('name is required');
  else if (ports.length === 0) found.errors.push('portSelector.ports is required');
  else {
    const problem = portsProblem(ports);
    if (problem !== undefined) found.errors.push(problem);
    else if (mapsAt(document, 'ingress').some((rule) => textAt(rule, 'subnet') === '')) {
      found.errors.push('invalid subnet: invalid Prefix');
    }
  }
}

function portsProblem(ports: readonly string[]): string | undefined {
  const ranges = ports
    .map((text) => {
      const [low = '', high = low] = text.split('-');
      return { text: `${low}-${high}`, low: Number(low), high: Number(high) };
    })
    .sort((a, b) => a.low - b.low);
  for (const [at, range] of ranges.entries()) {
    if (range.low > range.high) return `invalid port range: ${range.text}`;
    const before = ranges[at - 1];
    if (before !== undefined && range.low <= before.high) {
      return `invalid port range: ${range.text}, overlaps with ${before.text}`;
    }
  }
  return undefined;
}

const RESERVED_PRIORITIES = [0, 32_500, 32_766, 32_767];

function routingRule(document: YamlMap, found: Findings): void {
  const name = textAt(document, 'name');
  const isNumber = /^\d{1,10}$/.test(name) && Number(name) < 2 ** 32;
  if (name === '') found.errors.push('name must be specified');
  if (!isNumber) found.errors.push('invalid name: must be priority parsable unsigned integer');
  // What is no number counts as 0, which is reserved; a number out of range counts as the largest.
  const priority = isNumber ? Number(name) : /^\d+$/.test(name) ? 2 ** 32 - 1 : 0;
  if (RESERVED_PRIORITIES.includes(priority)) {
    const reserved = `[${RESERVED_PRIORITIES.join(' ')}]`;
    found.errors.push(`priority must be between 1 and 32765 (excluding reserved priorities ${reserved})`);
  }
  const action = textAt(document, 'action');
  if (reservedTable(document, 'table') === 'unspec' && ['', 'unspec', 'unicast'].includes(action)) {
    found.errors.push('either table or a non-unicast action must be specified');
  }
  if (numberAt(document, 'fwMask') !== 0 && numberAt(document, 'fwMark') === 0) {
    found.errors.push('fwMask requires fwMark to be set');
  }
}

function sideroLink(document: YamlMap, found: Findings): void {
  const url = isSet(document, 'apiUrl') ? parseGoUrl(textAt(document, 'apiUrl')) : undefined;
  if (url === undefined || 'problem' in url) found.errors.push('apiUrl is required');
  else if (url.scheme !== 'https' && url.scheme !== 'grpc') {
    found.errors.push('apiUrl scheme must be https:// or grpc://');
  } else if (url.path !== '' && url.path !== '/') found.errors.push('apiUrl path must be empty');
}

function probe(document: YamlMap, found: Findings): void {
  needName(document, found, 'probe name is required');
  if (textAt(document, 'endpoint') === '') found.errors.push('TCP probe endpoint is required');
  if (isNegative(document, 'timeout')) {
    found.errors.push(`TCP probe timeout cannot be negative: ${textAt(document, 'timeout')}`);
  }
  if (isNegative(document, 'interval')) {
    found.errors.push(`probe interval cannot be negative: ${textAt(document, 'interval')}`);
  }
  const threshold = field(document, 'failureThreshold');
  if ((typeof threshold === 'number' || typeof threshold === 'bigint') && threshold < 0) {
    found.errors.push(`probe failure threshold cannot be negative: ${threshold}`);
  }
}
