import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../json.ts';
import { admitTalosConfig, admitTalosConfigTemplate } from './admit-talos-config.ts';

const said = (spec: JsonObject): readonly string[] => admitTalosConfig({ spec }, undefined).warnings ?? [];

describe('a TalosConfig that is written', () => {
  const cases: readonly [name: string, spec: JsonObject, want: readonly string[]][] = [
    ['as upstream has it is not spoken of', { generateType: 'worker', talosVersion: 'v1.12.0-beta.0' }, []],
    ['with the old word for worker neither', { generateType: 'join' }, []],
    [
      'with an unknown type is warned of',
      { generateType: 'master' },
      ['spec.generateType: "master" is no type: no machine config is made'],
    ],
    [
      'with a version that is none is warned of',
      { generateType: 'worker', talosVersion: 'latest' },
      ['spec.talosVersion: "latest" is no version such as v1.11: no machine config is made'],
    ],
    ['without its data is warned of', { generateType: 'none' }, ['spec.data: it is needed with generateType none']],
    [
      'with data that nobody reads is warned of',
      { generateType: 'worker', data: 'machine: {}' },
      ['spec.data: it is only read with generateType none'],
    ],
    [
      'with operations that are none is warned of, each by its place',
      {
        generateType: 'worker',
        configPatches: [
          { op: 'add', path: '/machine/a', value: 1 },
          { op: 'set', path: 'machine' },
        ],
      },
      [
        'spec.configPatches[1].op: "set" is no operation of RFC 6902',
        'spec.configPatches[1].path: "machine" does not start with /',
      ],
    ],
  ];
  for (const [name, spec, want] of cases) it(name, () => assert.deepEqual(said(spec), want));

  it('is refused with a source of its host name that is none, in templates too', () => {
    const spec = { generateType: 'worker', hostname: { source: 'Moon' } };
    const field = (problems: readonly { readonly field: string }[]): string | undefined => problems[0]?.field;
    assert.equal(field(admitTalosConfig({ spec }, undefined).problems), 'spec.hostname.source');
    const template = { spec: { template: { spec } } };
    assert.equal(field(admitTalosConfigTemplate(template, undefined).problems), 'spec.template.spec.hostname.source');
  });

  it('is refused with 400 when its spec changes, and only then', () => {
    const object = { spec: { generateType: 'worker', talosVersion: 'latest' } };
    assert.deepEqual(admitTalosConfig({ ...object, status: { ready: true } }, object), { problems: [] });
    assert.equal(
      admitTalosConfig({ spec: { generateType: 'init' } }, object).badRequest,
      'TalosConfig.Spec is immutable',
    );
  });
});
