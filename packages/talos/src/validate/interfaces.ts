import { isYamlMap, type YamlMap, type YamlTree } from '../yaml/index.ts';
import { bondProblems, isEmptySection } from './bond.ts';
import { addressProblem, cidrProblem, isAddress } from './network-text.ts';
import { type Findings, flagAt, isSet, listAt, mapAt, mapsAt, numberAt, quoted, textAt, textsAt } from './section.ts';
import { wireguardProblems } from './wireguard.ts';

const DEVICE = 'networking.os.device';

/** Validate `machine.network.interfaces` of the legacy document. */
export function validateInterfaces(network: YamlMap | undefined, found: Findings): void {
  const devices = listAt(network, 'interfaces');
  const owned = validateMembers(devices.filter(isYamlMap), found);
  for (const device of devices) validateDevice(device, owned, found);
}

/** No interface belongs to two bonds or bridges. @returns the members. */
function validateMembers(devices: readonly YamlMap[], found: Findings): ReadonlySet<string> {
  const owners = new Map<string, string>();
  for (const device of devices) {
    const name = textAt(device, 'interface');
    const bond = mapAt(device, 'bond');
    const bridge = mapAt(device, 'bridge');
    const exclusive = 'config sections are mutually exclusive';
    if (bond !== undefined && bridge !== undefined) {
      found.errors.push(`interface has both bridge and bond sections set ${quoted(name)}: ${exclusive}`);
    }
    if (textsAt(bond, 'interfaces').length > 0 && listAt(bond, 'deviceSelectors').length > 0) {
      found.errors.push(`interface ${quoted(name)} has both interfaces and selectors set: ${exclusive}`);
    }
    for (const member of textsAt(bridge ?? bond, 'interfaces')) {
      const owner = owners.get(member);
      if (owner !== undefined && owner !== name) {
        const links = `${quoted(owner)} and ${quoted(name)}`;
        found.errors.push(`interface ${quoted(member)} is declared as part of two separate links: ${links}`);
      }
      owners.set(member, name);
    }
  }
  return new Set(owners.keys());
}

function validateDevice(device: YamlTree, owned: ReadonlySet<string>, found: Findings): void {
  if (!isYamlMap(device)) {
    found.errors.push('empty device');
    return;
  }
  if (flagAt(device, 'ignore')) return;
  found.errors.push(...identityProblems(device));
  const bond = mapAt(device, 'bond');
  if (bond !== undefined) found.errors.push(...bondProblems(bond));
  const wireguard = mapAt(device, 'wireguard');
  if (wireguard !== undefined) found.errors.push(...wireguardProblems(wireguard));
  for (const vlan of mapsAt(device, 'vlans')) found.errors.push(...vlanProblems(textAt(device, 'interface'), vlan));
  validateAddressing(device, owned, found);
  for (const [at, route] of mapsAt(device, 'routes').entries()) found.errors.push(...routeProblems(at, route));
}

function identityProblems(device: YamlMap): string[] {
  const hasName = textAt(device, 'interface') !== '';
  const selector = mapAt(device, 'deviceSelector');
  const both = `[${DEVICE}.interface], [${DEVICE}.deviceSelector]`;
  const problems: string[] = [];
  if (!hasName && selector === undefined) problems.push(`${both}: required either config section to be set`);
  if (hasName && selector !== undefined) problems.push(`${both}: config sections are mutually exclusive`);
  if (selector !== undefined && isEmptySection(selector)) {
    problems.push(`[${DEVICE}.deviceSelector]: config section should contain at least one field`);
  }
  return problems;
}

function vlanProblems(name: string, vlan: YamlMap): string[] {
  const link = `${name}.${numberAt(vlan, 'vlanId')}`;
  const cidr = textAt(vlan, 'cidr');
  const addresses = textsAt(vlan, 'addresses');
  const problems: string[] = [];
  if (addresses.length > 0 && cidr !== '') {
    problems.push(`[${DEVICE}.vlan] ${link}: vlan can't have both .cidr and .addresses set`);
  }
  const own = cidr === '' ? undefined : addressProblem(cidr);
  if (own !== undefined) problems.push(`[${DEVICE}.vlan.CIDR] ${link}: ${own}`);
  for (const address of addresses) {
    const problem = addressProblem(address);
    if (problem !== undefined) problems.push(`[${DEVICE}.vlan.addresses] ${link}: ${problem}`);
  }
  return problems;
}

function validateAddressing(device: YamlMap, owned: ReadonlySet<string>, found: Findings): void {
  const name = textAt(device, 'interface');
  const cidr = textAt(device, 'cidr');
  const addresses = textsAt(device, 'addresses');
  const isAddressed = flagAt(device, 'dhcp') || cidr !== '' || addresses.length > 0 || isSet(device, 'vip');
  if (owned.has(name) && isAddressed) {
    const why = "bonded/bridged interface shouldn't have any addressing methods configured";
    found.errors.push(`[${DEVICE}] ${quoted(name)}: ${why}`);
  }
  if (addresses.length > 0 && cidr !== '') {
    found.errors.push(`[${DEVICE}] ${quoted(name)}: interface can't have both .cidr and .addresses set`);
  }
  if (cidr !== '') {
    const problem = addressProblem(cidr);
    if (problem !== undefined) found.errors.push(`[${DEVICE}.CIDR] ${quoted(name)}: ${problem}`);
    const instead = 'please use machine.network.interface.addresses';
    found.warnings.push(`${quoted(name)}: machine.network.interface.cidr is deprecated, ${instead}`);
  }
  for (const address of addresses) {
    const problem = addressProblem(address);
    if (problem !== undefined) found.errors.push(`[${DEVICE}.addresses] ${quoted(name)}: ${problem}`);
  }
  const vip = mapAt(device, 'vip');
  if (vip !== undefined && !isAddress(textAt(vip, 'ip'))) {
    found.errors.push(`[${DEVICE}.vip] failed to parse ${quoted(textAt(vip, 'ip'))} as IP address`);
  }
}

function routeProblems(at: number, route: YamlMap): string[] {
  const place = `${DEVICE}.route[${at}]`;
  const network = textAt(route, 'network');
  const problems: string[] = [];
  const invalid = (key: string, value: string): void => {
    problems.push(`[${place}.${key}] ${quoted(value)}: invalid network address`);
  };
  if (network !== '' && cidrProblem(network) !== undefined) invalid('network', network);
  const gateway = textAt(route, 'gateway');
  if (gateway !== '' && !isAddress(gateway)) invalid('gateway', gateway);
  if (gateway === '' && network === '') problems.push(`[${place}]: either network or gateway should be set`);
  const source = textAt(route, 'source');
  if (source !== '' && !isAddress(source)) invalid('source', source);
  return problems;
}
