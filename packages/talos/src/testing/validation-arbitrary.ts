import fc from 'fast-check';
import { documentKind, fieldsOf, type Shape } from '../config/type-table.ts';
import { writeYamlDocuments, type YamlMap, type YamlTree } from '../yaml/index.ts';

const addresses = fc.constantFrom(
  '10.0.0.1',
  '10.0.0.1/24',
  '10.0.0.300/24',
  'fd00::1/64',
  'fd00::1',
  '::',
  '0.0.0.0/0',
  'x',
  '',
  '10.0.0.0/024',
  'fe80::1%eth0',
);
const names = fc.constantFrom(
  '',
  'eth0',
  'eth1',
  'bond0',
  'a b',
  'foo_',
  'a/b/c',
  '/x',
  'k8s.io/a',
  'x'.repeat(70),
  'STATE',
  'EPHEMERAL',
  'u-1',
  '%d',
  'net%d',
  '1000',
  '32500',
  '99999999999',
);
const urls = fc.constantFrom(
  'https://a:6443',
  'http://[fd00::1]:80/x',
  'a:b',
  'grpc://h:1/',
  'tcp://h:1',
  'udp://h',
  '//h',
  'https://h:99999',
  'https://',
  'ftp://u:p@h/?q=1',
  'h',
  'http://a:1:2',
  'http://[::1',
  'http://a b',
  '%zz',
  'https://h/path',
);
const key32 = Buffer.alloc(32, 7).toString('base64');
const secrets = fc.constantFrom(key32, 'YQ==', '', '!!!', 'abc');
const ports = fc.constantFrom<YamlTree>(80, '1-5', '4-8', '9-3', 443);
const words = fc.constantFrom(
  '',
  'a',
  'off',
  'flannel',
  'custom',
  'none',
  'active',
  'v1',
  'v3',
  'json_lines',
  'worker',
  'controlplane',
  'join',
  'master',
  'NoSchedule',
  'x:NoExecute',
  'x y:NoExecute',
  'os:admin',
  'os:foo',
  'Node',
  'RBAC',
  'Foo',
  '802.3ad',
  'balance-alb',
  'active-backup',
  'fast',
  'layer2',
);

/** Pools for fields whose rules look at the text. */
function text(name: string): fc.Arbitrary<string> {
  if (/^(name|interface|hostname|link|links|interfaces|parent|hostnames|primary|device|dnsDomain)$/.test(name))
    return names;
  if (/address|cidr|subnet|gateway|source|network|ip$|allowedIPs|endpoints|nameservers/i.test(name))
    return fc.oneof(
      addresses,
      addresses.map((a) => `!${a}`),
    );
  if (/endpoint|url|manifests|apiUrl/i.test(name))
    return fc.oneof(urls, fc.constantFrom('h:1', 'h', '[::1]:5', '::1:5', 'http:1'));
  if (/key|token|secret|password|auth/i.test(name)) return secrets;
  return words;
}

interface Place {
  readonly name: string;
  readonly depth: number;
}

function value(shape: Shape, place: Place): fc.Arbitrary<YamlTree> {
  switch (shape.is) {
    case 'pointer':
      return value(shape.of, place);
    case 'scalar':
      return scalar(shape.of, place.name);
    case 'custom':
      return custom(shape.name, place.name);
    case 'struct':
      return struct(shape.name, place.depth + 1);
    case 'list':
      return fc.array(value(shape.of, { ...place, depth: place.depth + 1 }), { maxLength: 3 });
    case 'map':
      return fc.dictionary(
        names.filter((key) => key !== ''),
        value(shape.of, place),
        { maxKeys: 2, noNullPrototype: true },
      );
    case 'free':
      return fc.dictionary(
        fc.constantFrom('cpu', 'memory', 'port', 'authentication', 'gpu'),
        fc.constantFrom('1', 'x'),
        { maxKeys: 2, noNullPrototype: true },
      );
  }
}

function scalar(of: string, name: string): fc.Arbitrary<YamlTree> {
  switch (of) {
    case 'bool':
      return fc.boolean();
    case 'int':
    case 'uint':
      return fc
        .constantFrom(0, 1, 2, 3, 7, 100, 1000, 1280, 4094, 4095)
        .filter((n) => n < 256 || !/numPeerNotif|tlb|allSlaves|missedMax/i.test(name));
    case 'duration':
      return fc.constantFrom('1s', '-5s', '20s', '0s');
    default:
      return text(name);
  }
}

const CUSTOM: Readonly<Record<string, fc.Arbitrary<YamlTree>>> = {
  'x509.PEMEncodedCertificateAndKey': fc.constantFrom<YamlTree>({ crt: 'YQ==', key: 'Yg==' }, { crt: 'YQ==' }, {}),
  'x509.PEMEncodedCertificate': fc.constantFrom<YamlTree>({ crt: 'YQ==' }, { crt: '' }),
  'x509.PEMEncodedKey': fc.constantFrom<YamlTree>({ key: 'YQ==' }),
  'v1alpha1.ArgValue': fc.constantFrom<YamlTree>('a', ['a', 'b']),
  'v1alpha1.FileMode': fc.constantFrom(420, 0),
  'v1alpha1.Base64Bytes': fc.constantFrom('YQ=='),
  'v1alpha1.DiskSize': fc.constantFrom<YamlTree>('10GB', 0, 5),
  'v1alpha1.InstallDiskSizeMatcher': fc.constantFrom('>= 10GB', '10GB'),
  'network.PortRange': ports,
  'block.ByteSize': fc.constantFrom('10GB', '1GiB', '-1GB', '5'),
  'block.Size': fc.constantFrom('10GB', '50%', '-10%', '-1GB', '1GiB', '1B'),
  'cel.Expression': fc.constantFrom(''),
  'nethelpers.HardwareAddr': fc.constantFrom('aa:bb:cc:dd:ee:ff'),
  'nethelpers.RoutingTable': fc.constantFrom<YamlTree>('main', 'local', 'unspec', '100', 254, 0, 77),
  'netip.AddrPort': fc.constantFrom('10.0.0.1:5', '[fd00::1]:5'),
  'network.AddrPort': fc.constantFrom('10.0.0.1:5', '[fd00::1]:5', ''),
  'netip.Prefix': fc.constantFrom('10.0.0.0/8', '0.0.0.0/0', '::/0', 'fd00::1/64'),
  'network.Prefix': fc.constantFrom('10.0.0.0/8', '0.0.0.0/0', '::/0', ''),
  'netip.Addr': fc.constantFrom('10.0.0.1', 'fd00::1'),
  'network.Addr': fc.constantFrom('10.0.0.1', '0.0.0.0', '::', ''),
};

const WORDS: Readonly<Record<string, readonly string[]>> = {
  'block.EncryptionProviderType': ['none', 'luks2'],
  'block.FilesystemType': ['none', 'xfs', 'ext4', 'vfat', 'virtiofs'],
  'block.VolumeType': ['partition', 'disk', 'directory', 'tmpfs'],
  'nethelpers.AutoHostnameKind': ['off', 'talos-addr', 'stable'],
  'nethelpers.BondMode': ['balance-rr', '802.3ad', 'active-backup'],
  'nethelpers.ClientIdentifier': ['none', 'mac', 'duid'],
  'nethelpers.DefaultAction': ['accept', 'block'],
  'nethelpers.Protocol': ['icmp', 'tcp', 'udp', 'icmpv6'],
  'nethelpers.RoutingRuleAction': ['unspec', 'unicast', 'blackhole'],
  'nethelpers.VLANProtocol': ['802.1q', '802.1ad'],
};

function custom(type: string, name: string): fc.Arbitrary<YamlTree> {
  const own = CUSTOM[type];
  if (own !== undefined) return own;
  const choice = WORDS[type];
  if (choice !== undefined) return fc.constantFrom(...choice);
  if (type.startsWith('nethelpers.')) return fc.constantFrom('');
  return text(name);
}

const MAX_DEPTH = 9;

function struct(name: string, depth: number): fc.Arbitrary<YamlTree> {
  const fields = fieldsOf(name).filter((field) => !['apiVersion', 'kind'].includes(field.name));
  if (depth > MAX_DEPTH || fields.length === 0) return fc.constant({});
  return fc
    .uniqueArray(fc.constantFrom(...fields), { maxLength: depth < 2 ? 7 : 5, selector: (f) => f.name })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((f) => [f.name, value(f.shape, { name: f.name, depth })]))),
    );
}

const legacy = struct('v1alpha1.Config', 0).chain((tree) =>
  fc
    .record({ machine: struct('v1alpha1.MachineConfig', 1), cluster: struct('v1alpha1.ClusterConfig', 1) })
    .map((parts): YamlTree => ({ ...(tree as YamlMap), ...parts, version: 'v1alpha1' })),
);

const deep = (path: readonly string[], type: string): fc.Arbitrary<YamlTree> =>
  struct(type, 2).map(
    (tree): YamlTree => path.reduceRight<YamlTree>((inner, key) => (key === '[]' ? [inner] : { [key]: inner }), tree),
  );

/** Sections that are rarely reached from above. */
const sections = fc.oneof(
  deep(['machine', 'network', 'interfaces', '[]'], 'v1alpha1.Device'),
  deep(['machine', 'network', 'interfaces', '[]', 'bond'], 'v1alpha1.Bond'),
  deep(['machine', 'network', 'interfaces', '[]', 'wireguard'], 'v1alpha1.DeviceWireguardConfig'),
  deep(['machine', 'network', 'interfaces', '[]', 'routes', '[]'], 'v1alpha1.Route'),
  deep(['machine', 'network', 'interfaces', '[]', 'vlans', '[]'], 'v1alpha1.Vlan'),
  deep(['machine', 'network', 'kubespan'], 'v1alpha1.NetworkKubeSpan'),
  deep(['machine', 'features'], 'v1alpha1.FeaturesConfig'),
  deep(['machine', 'install'], 'v1alpha1.InstallConfig'),
  deep(['machine', 'systemDiskEncryption', 'state'], 'v1alpha1.EncryptionConfig'),
  deep(['machine', 'logging', 'destinations', '[]'], 'v1alpha1.LoggingDestination'),
  deep(['cluster', 'network', 'cni'], 'v1alpha1.CNIConfig'),
  deep(['cluster', 'discovery'], 'v1alpha1.ClusterDiscoveryConfig'),
  deep(['cluster', 'etcd'], 'v1alpha1.EtcdConfig'),
  deep(['cluster', 'apiServer'], 'v1alpha1.APIServerConfig'),
);

function further(kind: string): fc.Arbitrary<YamlTree> {
  const shape = documentKind('v1alpha1', kind)?.shape;
  const type = shape?.is === 'struct' ? shape.name : '';
  return struct(type, 1).map((tree): YamlTree => ({ apiVersion: 'v1alpha1', kind, ...(tree as YamlMap) }));
}

/** Text of a configuration whose values are often wrong: a legacy document, a section of it, or further documents of `kinds`. */
export const validatableConfig = (kinds: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.oneof(legacy, sections, fc.constant(null)),
      fc.uniqueArray(fc.constantFrom(...kinds), { maxLength: 3 }).chain((chosen) => fc.tuple(...chosen.map(further))),
    )
    .map(([first, rest]) => writeYamlDocuments(first === null ? rest : [first, ...rest]));
