import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allKinds } from '../all-kinds.ts';
import type { Json, JsonObject } from '../json.ts';
import { parseJson } from '../json-text.ts';
import { isJsonObject } from '../kind.ts';
import { answerAdmissionReview } from './admit-review.ts';
import { answerConversionReview } from './convert-review.ts';

const config: JsonObject = {
  apiVersion: 'bootstrap.cluster.x-k8s.io/v1alpha3',
  kind: 'TalosConfig',
  metadata: { name: 'm', namespace: 'default' },
  spec: { generateType: 'worker' },
  status: { ready: true, dataSecretName: 'm-bootstrap-data' },
};

function part(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((v, name) => (isJsonObject(v) ? v[name] : undefined), value);
}

function convert(objects: readonly Json[], desiredAPIVersion: string): Json | undefined {
  const request = { uid: 'u1', desiredAPIVersion, objects: [...objects] };
  const review = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request };
  return answerConversionReview(review, allKinds)['response'];
}

function admit(request: JsonObject, task: 'default' | 'validate'): Json | undefined {
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u2', ...request } };
  return answerAdmissionReview(review, allKinds, task)['response'];
}

const controlPlane = (spec: JsonObject): JsonObject => ({
  apiVersion: 'controlplane.cluster.x-k8s.io/v1alpha3',
  kind: 'TalosControlPlane',
  metadata: { name: 'cp', namespace: 'default' },
  spec,
});

describe('conversion review', () => {
  it('turns objects into the version that is asked for, and back without a loss', () => {
    const up = convert([config], 'bootstrap.cluster.x-k8s.io/v1beta1');
    const stored = part(up, 'convertedObjects');
    assert.ok(Array.isArray(stored));
    assert.equal(part(up, 'uid'), 'u1');
    assert.equal(part(stored[0], 'status', 'initialization', 'dataSecretCreated'), true);
    const down = convert(stored, 'bootstrap.cluster.x-k8s.io/v1alpha3');
    const back = part(down, 'convertedObjects');
    assert.ok(Array.isArray(back));
    assert.deepEqual(part(back[0], 'status'), config['status']);
    assert.deepEqual(part(back[0], 'spec'), config['spec']);
  });

  it('names the version that does not exist', () => {
    const answer = convert([config], 'bootstrap.cluster.x-k8s.io/v9');
    assert.equal(part(answer, 'result', 'status'), 'Failure');
    assert.match(String(part(answer, 'result', 'message')), /TalosConfig.*v9/);
    assert.deepEqual(part(answer, 'convertedObjects'), []);
  });
});

describe('admission review', () => {
  it('fills in the defaults that the schema cannot express, as a JSON patch', () => {
    const response = admit({ operation: 'CREATE', object: controlPlane({ version: '1.34.0' }) }, 'default');
    const text = Buffer.from(String(part(response, 'patch')), 'base64').toString();
    assert.equal(part(response, 'allowed'), true);
    assert.match(text, /"version":"v1.34.0"/);
    assert.ok(Array.isArray(parseJson(text)));
  });

  it('lets an object without anything to fill in pass unchanged', () => {
    assert.deepEqual(admit({ operation: 'CREATE', object: config }, 'default'), { uid: 'u2', allowed: true });
  });

  it('refuses what the embedded API refuses, with the field', () => {
    const object = controlPlane({ version: 'v1.34.0', rolloutStrategy: { type: 'Sideways' } });
    const response = admit({ operation: 'CREATE', object }, 'validate');
    assert.equal(part(response, 'allowed'), false);
    assert.equal(part(response, 'status', 'code'), 422);
    assert.match(String(part(response, 'status', 'message')), /spec\.rolloutStrategy\.type/);
  });

  it('answers a changed immutable spec with 400', () => {
    const object = { ...config, spec: { generateType: 'init' } };
    const response = admit({ operation: 'UPDATE', object, oldObject: config }, 'validate');
    assert.equal(part(response, 'status', 'code'), 400);
  });

  it('lets deletions and kinds of others pass', () => {
    assert.equal(part(admit({ operation: 'DELETE', oldObject: config }, 'validate'), 'allowed'), true);
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } };
    assert.equal(part(admit({ operation: 'CREATE', object }, 'validate'), 'allowed'), true);
  });

  it('answers any body', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        const review = parseJson(JSON.stringify(body));
        answerConversionReview(review, allKinds);
        answerAdmissionReview(review, allKinds, 'default');
        answerAdmissionReview(review, allKinds, 'validate');
        answerConversionReview({ request: review }, allKinds);
        answerAdmissionReview({ request: review }, allKinds, 'validate');
        answerAdmissionReview({ request: { object: review } }, allKinds, 'validate');
      }),
    );
  });
});
