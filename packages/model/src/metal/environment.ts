import type { KindSource, ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { list, map, object, oneOfStrings, string } from '../schema.ts';
import { waitingFields } from '../shared-schema.ts';
import { admitEnvironment } from './admit-environment.ts';
import { convertEnvironment } from './convert-environment.ts';
import { METAL_CRD_LABELS } from './metal-group.ts';

const assets = {
  kernel: object({}, { url: string(), sha512: string(), args: list(string()) }),
  initrd: object({}, { url: string(), sha512: string() }),
};

const properties = {
  spec: object(
    {},
    {
      ...assets,
      architectures: map(object({}, assets), {
        description: 'Assets for machines of another architecture (`arm64`), instead of the ones above.',
      }),
    },
  ),
  status: object(
    {},
    {
      conditions: list(
        object(
          { status: string(), type: string() },
          {
            url: string(),
            sha512: string(),
            reason: string(),
            message: string(),
            lastTransitionTime: string({ format: 'date-time' }),
          },
        ),
        { description: 'One entry of type Ready for each asset.' },
      ),
      ...waitingFields,
      version: string({ description: 'Release that the URLs name.' }),
      arch: string(),
      checksum: oneOfStrings(['verified', 'unverified', 'mismatch']),
    },
  ),
};

const source = {
  group: 'metal.sidero.dev',
  kind: 'Environment',
  plural: 'environments',
  scope: 'Cluster',
  shortNames: ['env'],
  categories: ['bloomery'],
  description: 'What a machine boots: kernel, initrd and kernel arguments.',
  crdLabels: METAL_CRD_LABELS,
  admit: admitEnvironment,
  columns: [
    { name: 'Kernel', path: '.spec.kernel.url', of: 'string' },
    { name: 'Initrd', path: '.spec.initrd.url', of: 'string' },
    { name: 'Ready', path: '.status.conditions[?(@.type=="Ready")].status', of: 'string' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.status.version', of: 'string', wide: true },
    { name: 'Arch', path: '.status.arch', of: 'string', wide: true },
    { name: 'Checksum', path: '.status.checksum', of: 'string', wide: true },
  ],
  properties,
} as const satisfies Omit<KindSource<typeof properties>, 'version'>;

/** What a machine boots. Stored version. */
export const environment = defineKind({ ...source, version: 'v1alpha2' });

/** Environment as older manifests write it: the same fields. */
export const environmentV1alpha1 = defineKind({
  ...source,
  version: 'v1alpha1',
  storage: false,
  convert: convertEnvironment,
});

export type Environment = ObjectOf<typeof environment>;
