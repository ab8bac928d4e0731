import { DUPLEX, LINK_TYPE, OPERATIONAL_STATE, PORT } from '../resources/enumerations.ts';
import type { LinkStatus } from '../resources/links.ts';
import { numberOf } from '../resources/number-of.ts';
import { matchesGlob } from './device-selector.ts';

/** Whether an expression in CEL over `link` is true of a link. @throws Error when it cannot be evaluated for it */
export type LinkExpressions = (expression: string, link: LinkStatus) => boolean;

/** Fields of `link` under their names in protobuf: those that may be compared with `100u`, numbers, texts and bytes. */
const UINTS = {
  index: 'index',
  link_index: 'linkIndex',
  flags: 'flags',
  mtu: 'mtu',
  master_index: 'masterIndex',
} as const;
const TEXTS = {
  alias: 'alias',
  queue_disc: 'queueDisc',
  kind: 'kind',
  slave_kind: 'slaveKind',
  bus_path: 'busPath',
  pciid: 'pciID',
  driver: 'driver',
  driver_version: 'driverVersion',
  firmware_version: 'firmwareVersion',
  product_id: 'productID',
  vendor_id: 'vendorID',
  product: 'product',
  vendor: 'vendor',
} as const;
const ENUMERATIONS = {
  type: ['type', LINK_TYPE],
  operational_state: ['operationalState', OPERATIONAL_STATE],
  port: ['port', PORT],
  duplex: ['duplex', DUPLEX],
} as const;
const BYTES = {
  hardware_addr: 'hardwareAddr',
  broadcast_addr: 'broadcastAddr',
  permanent_addr: 'permanentAddr',
} as const;

/** What remembers parsed expressions: more than a configuration has selectors for links. */
const REMEMBERED_MAX = 256;

/** Load the language, which few configurations need. */
export async function loadLinkExpressions(): Promise<LinkExpressions> {
  const { Environment, evaluate } = await import('@marcbachmann/cel-js');
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  const typed = (names: object, type: string): Record<string, string> =>
    Object.fromEntries(Object.keys(names).map((name) => [name, type]));
  environment.registerVariable({
    name: 'link',
    schema: {
      ...typed(UINTS, 'uint'),
      ...typed(TEXTS, 'string'),
      ...typed(ENUMERATIONS, 'int'),
      ...typed(BYTES, 'bytes'),
      alt_names: 'list<string>',
      link_state: 'bool',
      speed_megabits: 'int',
    },
  });
  environment.registerFunction('int(uint): int', (value: object) => BigInt(String(value.valueOf())));
  environment.registerFunction('mac(bytes): string', (bytes: Uint8Array) => macText(bytes));
  environment.registerFunction('glob(string, string): bool', (pattern: string, text: string) =>
    matchesGlob(pattern, text),
  );
  // The library does not export its unsigned numbers: a literal makes one.
  const unsigned = (value: number): unknown => evaluate(`${value}u`);
  const parsed = new Map<string, ReturnType<typeof environment.parse>>();
  return (expression, link) => {
    const known = parsed.get(expression) ?? environment.parse(expression);
    if (parsed.size >= REMEMBERED_MAX) parsed.clear();
    parsed.set(expression, known);
    return known({ link: variables(link, unsigned) }) === true;
  };
}

function variables(link: LinkStatus, unsigned: (value: number) => unknown): Readonly<Record<string, unknown>> {
  const map = <N extends object>(names: N, value: (field: N[keyof N]) => unknown): Record<string, unknown> =>
    Object.fromEntries(Object.entries(names).map(([name, field]) => [name, value(field)]));
  return {
    ...map(UINTS, (field) => unsigned(link[field])),
    ...map(TEXTS, (field) => link[field]),
    ...map(ENUMERATIONS, ([field, names]) => BigInt(numberOf(names, link[field]))),
    ...map(BYTES, (field) => macBytes(link[field])),
    alt_names: link.altNames,
    link_state: link.linkState,
    speed_megabits: BigInt(link.speedMbit),
  };
}

/** The bytes of an address as text with colons; none of an empty one. */
export const macBytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(':', ''), 'hex'));

const macText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
