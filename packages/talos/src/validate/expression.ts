import { errorText } from '@bloomery/ports';
import { Environment } from '@marcbachmann/cel-js';

/** What an expression of a document speaks of. */
export type ExpressionSubject = 'disk' | 'volume' | 'link' | 'memory';

const MAX_CHARACTERS = 16 << 10;
const MAX_NESTING = 100;

const DISK = {
  ...typed('uint', ['size', 'io_size', 'sector_size']),
  ...typed('bool', ['readonly', 'rotational', 'cdrom']),
  ...typed('string', ['model', 'serial', 'modalias', 'wwid', 'bus_path', 'sub_system', 'transport', 'dev_path']),
  ...typed('string', ['pretty_size', 'uuid']),
  ...typed('list<string>', ['secondary_disks', 'symlinks']),
};
const VOLUME = {
  ...typed('uint', ['size', 'sector_size', 'io_size', 'block_size', 'filesystem_block_size', 'probed_size']),
  ...typed('uint', ['partition_index', 'offset']),
  ...typed('string', ['name', 'uuid', 'label', 'partition_uuid', 'partition_type', 'partition_label', 'type']),
  ...typed('string', ['device_path', 'parent', 'dev_path', 'parent_dev_path', 'pretty_size']),
};
const LINK = {
  ...typed('uint', ['index', 'link_index', 'flags', 'mtu', 'master_index']),
  ...typed('int', ['type', 'operational_state', 'speed_megabits', 'port', 'duplex']),
  ...typed('bytes', ['hardware_addr', 'broadcast_addr', 'permanent_addr']),
  ...typed('string', ['queue_disc', 'kind', 'slave_kind', 'bus_path', 'pciid', 'driver', 'driver_version', 'alias']),
  ...typed('string', ['firmware_version', 'product_id', 'vendor_id', 'product', 'vendor']),
  ...typed('bool', ['link_state']),
  ...typed('list<string>', ['alt_names']),
  ...typed('dyn', ['vlan', 'bridge_master', 'bond_master', 'wireguard', 'vrf_master']),
};
const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

function typed(type: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, type]));
}

const environments = new Map<ExpressionSubject, Environment>();

function environmentOf(subject: ExpressionSubject): Environment {
  const known = environments.get(subject);
  if (known !== undefined) return known;
  const made = createEnvironment(subject);
  environments.set(subject, made);
  return made;
}

function createEnvironment(subject: ExpressionSubject): Environment {
  const isOpen = subject === 'memory';
  const env = new Environment({
    unlistedVariablesAreDyn: isOpen,
    enableOptionalTypes: isOpen,
    homogeneousAggregateLiterals: false,
  });
  const never = (): never => {
    throw new Error('expressions are only checked here');
  };
  env.registerFunction('int(uint): int', never);
  for (const unit of UNITS) env.registerVariable(unit, 'uint');
  const object = (name: string, schema: Record<string, string>): void => {
    env.registerVariable({ name, schema });
  };
  if (subject === 'disk') {
    object('disk', DISK);
    env.registerVariable('system_disk', 'bool');
  }
  if (subject === 'volume') {
    object('volume', VOLUME);
    object('disk', DISK);
  }
  if (subject === 'link') {
    object('link', LINK);
    env.registerFunction('mac(bytes): string', never);
  }
  if (subject === 'disk' || subject === 'link') env.registerFunction('glob(string, string): bool', never);
  if (isOpen) env.registerFunction('multiply_qos_vectors(dyn, dyn): double', never);
  return env;
}

/**
 * What is wrong with an expression in CEL; undefined when nothing is. Numbers of different kinds may be compared here, where
 * Talos wants `100u` beside sizes.
 *
 * @param want its value has to be of this type.
 */
export function expressionProblem(
  subject: ExpressionSubject,
  text: string,
  want: 'bool' | 'double' = 'bool',
): string | undefined {
  if (text.length > MAX_CHARACTERS) return `longer than ${MAX_CHARACTERS} characters`;
  if (nesting(text) > MAX_NESTING) return `nested deeper than ${MAX_NESTING}`;
  try {
    const { valid, type, error } = environmentOf(subject).check(text);
    if (!valid) return firstLine(errorText(error));
    return type === want || type === undefined || type === 'dyn'
      ? undefined
      : `expression output type is ${type}, expected ${want}`;
  } catch (error) {
    return firstLine(errorText(error));
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

function nesting(text: string): number {
  let open = 0;
  let deepest = 0;
  for (const c of text) {
    if ('([{!-?'.includes(c)) open += 1;
    else if (')]}'.includes(c)) open = Math.max(0, open - 1);
    deepest = Math.max(deepest, open);
  }
  return deepest;
}
