import type { NodeDocument } from '../config/node-config.ts';
import { asNumber, asText } from '../config/plain-value.ts';
import { maskedPrefix, parsePrefix } from '../ip/ip-prefix.ts';
import type { KernelRule } from '../kernel/kernel.ts';
import { FAMILY, ROUTING_RULE_ACTION, ROUTING_TABLE } from '../resources/enumerations.ts';
import { numberOf } from '../resources/number-of.ts';
import { RoutingRuleSpec } from '../resources/routes.ts';
import { tableName } from './route-spec.ts';

/** Rules of the configuration, and what of it could not be read. */
export interface ConfiguredRules {
  readonly specs: readonly RoutingRuleSpec[];
  /** Each for a person. */
  readonly unreadable: readonly string[];
}

/** Priorities of the rules that the kernel (local, main, default) and KubeSpan (IPv4, IPv6) have for themselves. */
const RESERVED: ReadonlySet<number> = new Set([0, 32_500, 32_501, 32_766, 32_767]);
const PRIORITY_MAX = 32_765;

/** Id of a rule: `inet4/01000`. */
export const routingRuleId = ({ family, priority }: Pick<RoutingRuleSpec, 'family' | 'priority'>): string =>
  `${family}/${String(priority).padStart(5, '0')}`;

/** The rules that RoutingRuleConfig documents name; without addresses one for each family. */
export function configuredRules(documents: readonly NodeDocument[]): ConfiguredRules {
  const specs: RoutingRuleSpec[] = [];
  const unreadable: string[] = [];
  for (const { kind, name = '', value } of documents) {
    if (kind !== 'RoutingRuleConfig') continue;
    const read = readRule(name, value);
    if (typeof read === 'string') unreadable.push(`routing rule ${JSON.stringify(name)}: ${read}`);
    else specs.push(...read);
  }
  return { specs, unreadable };
}

function readRule(name: string, value: Readonly<Record<string, unknown>>): readonly RoutingRuleSpec[] | string {
  const priority = /^\d{1,5}$/.test(name) ? Number(name) : 0;
  if (RESERVED.has(priority) || priority > PRIORITY_MAX) return `priority ${name} is reserved, or not of 1 to 32765`;
  const [src, dst] = [asText(value['src']), asText(value['dst'])];
  const networks = [src, dst].filter((text) => text !== '').map(parsePrefix);
  if (networks.includes(undefined)) return `src ${JSON.stringify(src)} or dst ${JSON.stringify(dst)} is no network`;
  const families = new Set(networks.map((network) => network?.address.family ?? 'inet4'));
  if (families.size > 1) return `src ${src} and dst ${dst} are of different families`;
  const table = asText(value['table']) === '' ? 'unspec' : tableName(asText(value['table']));
  if (table === undefined) return `table ${JSON.stringify(value['table'])} is neither a name nor a number`;
  const action = actionOf(asText(value['action']));
  if (action === undefined) return `action ${JSON.stringify(value['action'])} is not known`;
  const rule = {
    src,
    dst,
    table,
    priority,
    action,
    iifName: asText(value['iifName']),
    oifName: asText(value['oifName']),
    fwMark: asNumber(value['fwMark']),
    fwMask: asNumber(value['fwMask']),
    layer: 'configuration' as const,
  };
  const of = families.size === 0 ? (['inet6', 'inet4'] as const) : [...families];
  return of.map((family) => RoutingRuleSpec.make({ ...rule, family }));
}

/** Looking up a table is what a rule does unless it says otherwise. */
function actionOf(text: string): RoutingRuleSpec['action'] | undefined {
  if (text === '' || text === 'unspec' || text === '0') return 'unicast';
  const names = Object.entries(ROUTING_RULE_ACTION);
  const found = names.find(([name, number]) => name === text || String(number) === text);
  return found?.[0] as RoutingRuleSpec['action'] | undefined;
}

/** A rule in the numbers of the kernel. `everything` is no condition there. */
export function kernelRule(spec: RoutingRuleSpec): KernelRule {
  return {
    family: numberOf(FAMILY, spec.family),
    priority: spec.priority,
    source: networkText(spec.src),
    destination: networkText(spec.dst),
    table: numberOf(ROUTING_TABLE, spec.table),
    action: numberOf(ROUTING_RULE_ACTION, spec.action),
    iifName: spec.iifName,
    oifName: spec.oifName,
    fwMark: spec.fwMark,
    // The kernel takes the whole mark where no mask is given, and says so.
    fwMask: spec.fwMark !== 0 && spec.fwMask === 0 ? 0xffff_ffff : spec.fwMask,
  };
}

function networkText(text: string): string {
  const network = parsePrefix(text);
  return network === undefined || network.bits === 0 ? '' : maskedPrefix(network).text;
}
