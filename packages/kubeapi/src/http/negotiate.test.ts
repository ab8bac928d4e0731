import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPretty, negotiate, PLAIN_JSON, type Representation, wantsAggregatedDiscovery } from './negotiate.ts';

const G = 'g=meta.k8s.io';
const yaml: Representation = { ...PLAIN_JSON, format: 'yaml' };
const shown = (shape: Representation['shape']): Representation => ({ ...PLAIN_JSON, shape });

const cases: [accept: string | undefined, want: Representation | undefined][] = [
  [undefined, PLAIN_JSON],
  ['', PLAIN_JSON],
  ['*/*', PLAIN_JSON],
  ['application/*', PLAIN_JSON],
  ['application/json', PLAIN_JSON],
  ['Application/JSON', PLAIN_JSON],
  ['application/json;charset=utf-8', PLAIN_JSON],
  ['application/json;stream=watch', PLAIN_JSON],
  ['application/json;pretty=1', { ...PLAIN_JSON, pretty: true }],
  ['application/yaml', yaml],
  ['application/vnd.kubernetes.protobuf,application/json', PLAIN_JSON],
  ['application/vnd.kubernetes.protobuf, */*', PLAIN_JSON],
  ['application/cbor,application/json', PLAIN_JSON],
  ['application/vnd.kubernetes.protobuf', undefined],
  ['text/html', undefined],
  ['text/*', undefined],
  [';;', undefined],
  ['application/json;q=0', undefined],
  ['application/json;q=0.1, application/yaml', yaml],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', PLAIN_JSON],
  [`application/json;as=Table;v=v1;${G}`, shown('table')],
  [`application/json;as=Table;v=v1beta1;${G}`, undefined],
  [`application/json;as=Table;v=v1;${G},application/json;as=Table;v=v1beta1;${G},application/json`, shown('table')],
  [`application/json;as=Table;v=v1beta1;${G},application/json`, PLAIN_JSON],
  [
    `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;${G},application/json;as=PartialObjectMetadata;v=v1;${G}`,
    shown('metadata'),
  ],
  [`application/json;as=PartialObjectMetadataList;v=v1;${G}`, shown('metadataList')],
  ['application/json;as=Table;v=v1;g=other', undefined],
  [`application/json;as=Nonsense;v=v1;${G}`, undefined],
  [`application/yaml;as=Table;v=v1;${G}`, { ...yaml, shape: 'table' }],
];

describe('negotiation', () => {
  for (const [accept, want] of cases) it(`of ${accept}`, () => assert.deepEqual(negotiate(accept), want));

  it('of a header without end takes no time', () => {
    assert.equal(negotiate('text/html,'.repeat(1_000_000)), undefined);
  });

  const agents: [pretty: string | null, agent: string | undefined, want: boolean][] = [
    [null, undefined, false],
    [null, 'kubectl/v1.34.4', false],
    [null, 'curl/8.1', true],
    [null, 'Wget/1.2', true],
    [null, 'Mozilla/5.0 (X11)', true],
    ['false', 'curl/8.1', false],
    ['0', 'curl/8.1', false],
    ['', 'kubectl', false],
    ['true', 'kubectl', true],
    ['1', undefined, true],
  ];
  for (const [pretty, agent, want] of agents)
    it(`indents for pretty=${pretty} of ${agent}: ${want}`, () => assert.equal(isPretty(pretty, agent), want));

  it('knows who wants the aggregated discovery', () => {
    const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const beta = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';
    assert.equal(wantsAggregatedDiscovery(`${v2},${beta},application/json`), true);
    assert.equal(wantsAggregatedDiscovery(`${beta},application/json`), false);
    assert.equal(wantsAggregatedDiscovery(`application/json,${v2}`), false);
    assert.equal(wantsAggregatedDiscovery(undefined), false);
  });
});
