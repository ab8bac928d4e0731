import fc from 'fast-check';
import { documentKind, fieldsOf, type Shape } from '../config/type-table.ts';
import { writeYaml, type YamlTree } from '../yaml/index.ts';

const MAX_DEPTH = 6;
const words = fc.constantFrom('a', 'b', 'c', 'eth0', 'true', '5', 'x y', '10.0.0.1');
const keys = fc.constantFrom('a', 'b', 'c', 'node-labels');

/** Values of a shape as people may write them, mostly right. */
function arbitrary(shape: Shape, depth: number): fc.Arbitrary<YamlTree> {
  switch (shape.is) {
    case 'pointer':
      return arbitrary(shape.of, depth);
    case 'scalar':
      return scalar(shape.of);
    case 'custom':
      return custom(shape.name);
    case 'struct':
      return struct(shape.name, depth);
    case 'list':
      return fc.array(arbitrary(shape.of, depth + 1), { maxLength: depth > MAX_DEPTH ? 0 : 3 });
    case 'map':
      return fc.dictionary(keys, arbitrary(shape.of, depth + 1), {
        maxKeys: depth > MAX_DEPTH ? 0 : 2,
        noNullPrototype: true,
      });
    case 'free':
      return fc.dictionary(keys, fc.oneof(words, fc.integer({ min: 1, max: 9 }), fc.array(words, { maxLength: 2 })), {
        maxKeys: 2,
        noNullPrototype: true,
      });
  }
}

function scalar(of: string): fc.Arbitrary<YamlTree> {
  switch (of) {
    case 'bool':
      return fc.boolean();
    case 'int':
    case 'uint':
      return fc.integer({ min: 0, max: 100 });
    case 'duration':
      return fc.constantFrom('1s', '90m', '1h0m0s', '250ms');
    default:
      return fc.oneof(words, fc.constant(''));
  }
}

function custom(name: string): fc.Arbitrary<YamlTree> {
  switch (name) {
    case 'v1alpha1.ArgValue':
      return fc.oneof(words, fc.array(words, { maxLength: 2 }));
    case 'v1alpha1.FileMode':
      return fc.integer({ min: 0, max: 511 });
    case 'x509.PEMEncodedCertificateAndKey':
      return fc.constantFrom<YamlTree>({ crt: 'YQ==', key: 'Yg==' }, { crt: 'Yw==' }, {});
    case 'x509.PEMEncodedCertificate':
      return fc.constantFrom<YamlTree>({ crt: 'YQ==' }, { crt: '' });
    case 'x509.PEMEncodedKey':
      return fc.constantFrom<YamlTree>({ key: 'YQ==' }, { key: '' });
    case 'v1alpha1.Base64Bytes':
      return fc.constantFrom('YQ==', 'Yg==');
    case 'v1alpha1.Endpoint':
      return fc.constantFrom('https://a:6443', 'https://[fd00::1]:6443');
    case 'v1alpha1.DiskSize':
      return fc.constantFrom<YamlTree>('10GB', '1GiB', 5, 1500, '4.2 GB');
    default:
      return fc.constantFrom('>= 10GB');
  }
}

function struct(name: string, depth: number): fc.Arbitrary<YamlTree> {
  const fields = fieldsOf(name);
  if (depth > MAX_DEPTH || fields.length === 0) return fc.constant({});
  return fc
    .uniqueArray(fc.constantFrom(...fields), { maxLength: 4, selector: (f) => f.name })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map((f) => [f.name, arbitrary(f.shape, depth + 1)]))));
}

const legacyShape = documentKind('', '')?.shape ?? { is: 'free', object: true };

const legacyTree = struct(legacyShape.is === 'struct' ? legacyShape.name : '', 0).map(
  (tree): YamlTree => ({ machine: {}, ...(typeof tree === 'object' ? tree : {}), version: 'v1alpha1' }),
);

/** Text of a configuration with one legacy document. */
export const randomConfig: fc.Arbitrary<string> = legacyTree.map(writeYaml);

const paths = fc.constantFrom(
  '/machine/token',
  '/machine/certSANs/0',
  '/machine/certSANs/-',
  '/machine/certSANs/-1',
  '/cluster',
  '/machine/env/a',
  '/machine/network/hostname',
  '/x',
);

const operations = fc.array(
  fc.record({ op: fc.constantFrom('add', 'replace', 'remove', 'test'), path: paths, value: words }),
  { minLength: 1, maxLength: 3 },
);

const deletions = fc.constantFrom<YamlTree>(
  { machine: { network: { $patch: 'delete' } } },
  { machine: { sysctls: { a: { $patch: 'delete' } } } },
  { machine: { env: { $patch: 'delete' }, token: 'z' } },
  { cluster: { apiServer: { admissionControl: [{ name: 'a', $patch: 'delete' }] } } },
  { machine: { network: { interfaces: [{ interface: 'eth0', $patch: 'delete' }, { interface: 'b' }] } } },
  { machine: { kubelet: { image: { $patch: 'delete' } } } },
);

/** Text of a patch: a strategic document, operations in YAML, or deletions. */
export const randomPatch: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 6, arbitrary: legacyTree },
    { weight: 1, arbitrary: operations },
    { weight: 1, arbitrary: deletions },
  )
  .map(writeYaml);
