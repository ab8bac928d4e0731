import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, KubeObject } from '@bloomery/model';
import fc from 'fast-check';
import { type ProviderView, viewOf } from './provider-view.ts';

const object = (rest: object): KubeObject => ({
  apiVersion: 'infrastructure.example.org/v1',
  kind: 'OtherMachine',
  metadata: { name: 'm' },
  ...rest,
});
const nothing = viewOf(undefined);
const differs = (rest: object): Partial<ProviderView> =>
  Object.fromEntries(
    Object.entries(viewOf(object(rest))).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(nothing, name)),
    ),
  );

describe('what an object says by the provider contract', () => {
  const cases: readonly [name: string, says: JsonObject, want: Partial<ProviderView>][] = [
    ['nothing', {}, {}],
    [
      'of a machine, v1beta1',
      {
        spec: { providerID: 'x://1', failureDomain: 'a' },
        status: { ready: true, addresses: [{ address: '10.0.0.1' }] },
      },
      { ready: true, providerID: 'x://1', failureDomain: 'a', addresses: [{ address: '10.0.0.1' }] },
    ],
    ['of a machine, v1beta2', { status: { initialization: { provisioned: true } } }, { ready: true }],
    [
      'of a bootstrap config, v1beta1',
      { status: { ready: true, dataSecretName: 's' } },
      { ready: true, dataSecretName: 's' },
    ],
    ['of a bootstrap config, v1beta2', { status: { initialization: { dataSecretCreated: true } } }, { ready: true }],
    ['of a control plane, v1beta1', { status: { initialized: true, ready: false } }, { initialized: true }],
    [
      'of a control plane, v1beta2, which has no flag for ready',
      { status: { initialization: { controlPlaneInitialized: true } } },
      { initialized: true, ready: true },
    ],
    [
      'of failure domains, v1beta1',
      { status: { failureDomains: { a: { controlPlane: true, attributes: { rack: '1', bad: 2 } } } } },
      { failureDomains: { a: { controlPlane: true, attributes: { rack: '1' } } } },
    ],
    [
      'of failure domains, v1beta2',
      { status: { failureDomains: [{ name: 'a', controlPlane: false }, { name: '' }, 5] } },
      { failureDomains: { a: { controlPlane: false } } },
    ],
    [
      'of an endpoint',
      { spec: { controlPlaneEndpoint: { host: '10.0.0.9', port: 6443 } } },
      { endpoint: { host: '10.0.0.9', port: 6443 } },
    ],
    [
      'of what it waits for',
      { status: { waitingFor: 'rain', conditions: [{ type: 'Ready', status: 'False', reason: 'Dry' }] } },
      { waitingFor: 'rain', waiting: { reason: 'Dry', message: 'Dry' } },
    ],
  ];
  for (const [name, says, want] of cases) it(`is read: ${name}`, () => assert.deepEqual(differs(says), want));

  it('is never taken for ready by rubbish, and rubbish fails nobody', () => {
    const rubbish = fc.jsonValue({ maxDepth: 3 });
    const texts = fc.record({ ready: fc.constantFrom('true', 1, null, [], {}), initialization: rubbish });
    fc.assert(
      fc.property(rubbish, texts, rubbish, (spec, status, conditions) => {
        const view = viewOf(object({ spec, status: { ...status, conditions } }));
        assert.equal(typeof view.ready, 'boolean');
        assert.ok(view.providerID === undefined || view.providerID !== '');
      }),
    );
    assert.equal(viewOf(object({ status: { ready: 'true' } })).ready, false);
  });
});
