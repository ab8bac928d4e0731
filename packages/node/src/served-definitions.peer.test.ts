import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createState, type Fields, type ResourceDefinition, type State, type TableDefinition } from '@bloomery/cosi';
import {
  type CosiClient,
  cosiClientMissing,
  type ServedState,
  sampleSpec,
  serveState,
  startCosiClient,
} from '@bloomery/cosi/testing';
import { createFakeClock } from '@bloomery/ports';
import fc from 'fast-check';
import { DnsResolveCache, LinkSpec, LinkStatus, MachineType, PlatformConfig, ProbeSpec } from './resources/index.ts';
import { SERVED_DEFINITIONS } from './served-definitions.ts';

const SAMPLES = 40;
/** Fields that Talos 1.13.9 does not know yet, unset in the samples. */
const LATER: readonly { readonly definition: ResourceDefinition; readonly unset: object }[] = [
  { definition: LinkSpec, unset: { veth: LinkSpec.make().veth } },
  { definition: LinkStatus, unset: { veth: LinkStatus.make().veth } },
  { definition: ProbeSpec, unset: { http: ProbeSpec.make().http } },
  { definition: PlatformConfig, unset: { links: [], probes: [] } },
];

function isTable(definition: ResourceDefinition): definition is TableDefinition {
  return 'fields' in definition;
}

/**
 * Our YAML as upstream would print it: it loses addresses that may be left out even when they are set, its own names of Fibre are
 * empty, and numbers without a name are `Family(0)`.
 */
function asUpstream(yaml: string, fields: Fields): string {
  const lost = Object.entries(fields).filter(
    ([, { kind, omitEmpty }]) => omitEmpty && /^(ip|prefix|ipPort)$/.test(kind),
  );
  const kept = lost.reduce((text, [name]) => text.replace(new RegExp(`^${name}: .*\n`, 'm'), ''), yaml);
  return kept.replace('port: Fibre', 'port: ""');
}

const withPlainNumbers = (yaml: string): string => yaml.replace(/\b[A-Za-z]+\((\d+)\)/g, '"$1"');

const LIKELY = 'abyn01:.-_+# \n"\'{}[]&*!|>%@`?,=~<eEoxfT/Z\t\\é';

describe('the real types of Talos 1.13.9', { skip: cosiClientMissing() }, () => {
  let state: State;
  let served: ServedState;
  let client: CosiClient;
  before(async () => {
    state = createState({ clock: createFakeClock(1_700_000_000_000) });
    for (const definition of SERVED_DEFINITIONS) state.register(definition);
    served = await serveState(state);
    client = startCosiClient(served.address);
  });
  after(async () => {
    await client[Symbol.asyncDispose]();
    await served[Symbol.asyncDispose]();
  });

  for (const definition of SERVED_DEFINITIONS.filter(isTable)) {
    const { type, namespace, fields, codec } = definition;
    it(`${type} are decoded from our protobuf and print our YAML`, async () => {
      const unset = LATER.find((later) => later.definition.type === type)?.unset ?? {};
      state.create(definition, 'zero', definition.make());
      for (let i = 0; i < SAMPLES; i++) state.create(definition, `sample-${i}`, { ...sampleSpec(fields, i), ...unset });
      const items = await client.ask({ do: 'list', namespace, type });
      assert.equal(items.length, SAMPLES + 1);
      for (const { id, yaml } of items) {
        const resource = state.get(definition, id);
        assert.ok(resource);
        assert.equal(asUpstream(codec.toYaml(resource.spec), fields), withPlainNumbers(yaml), `${type} ${id}`);
      }
    });
  }

  it('the type of a machine is decoded, and prints as one word', async () => {
    state.create(MachineType, 'machine-type', 'controlplane');
    const place = { namespace: 'config', type: MachineType.type, id: 'machine-type' };
    assert.deepEqual(
      (await client.ask({ do: 'get', ...place })).map(({ yaml }) => yaml),
      [MachineType.codec.toYaml('controlplane')],
    );
  });

  it('any text is quoted as the real encoder quotes it', async () => {
    const seed = 20_260_101;
    const likely = fc.string({ unit: fc.constantFrom(...LIKELY), maxLength: 12 });
    const texts: readonly string[] = [
      ...fc.sample(likely, { numRuns: 2000, seed }),
      ...fc.sample(fc.string({ unit: 'binary', maxLength: 8 }), { numRuns: 500, seed }),
      ...[
        '',
        'null',
        '~',
        'yes',
        'On',
        '0x1f',
        '0o17',
        '017',
        '1e3',
        '.5',
        '1_000',
        '1:30',
        '2026-01-02',
        'a: b',
        '<<',
      ],
      ...[
        '2026-01-02T03:04:05Z',
        '52:54:00:12:34:56',
        '- a',
        '-',
        '--- a',
        '.inf',
        '+.Inf',
        '.NaN',
        'a\nb\n',
        '\n',
        'a \nb',
      ],
    ];
    const namespace = 'quoting';
    for (const [i, status] of texts.entries()) state.create(DnsResolveCache, `${i}`, { status }, { namespace });
    const items = await client.ask({ do: 'list', namespace, type: DnsResolveCache.type });
    assert.equal(items.length, texts.length);
    const wrong = items.flatMap(({ id, yaml }) => {
      const ours = DnsResolveCache.codec.toYaml({ status: texts[Number(id)] ?? '' });
      return ours === yaml ? [] : [{ text: texts[Number(id)], ours, theirs: yaml }];
    });
    assert.deepEqual(wrong.slice(0, 20), []);
  });
});
