import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { startWebhookLab, type WebhookLab } from '../testing/webhook-lab.ts';

const PATH = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations?dryRun=All';
const LABEL =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const KEY =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const FORM = 'desired format: https://host[/path]';

const at = (url: string): JsonObject => ({ clientConfig: { url } });
const behind = (service: JsonObject): JsonObject => ({
  clientConfig: { service: { namespace: 'a', name: 'b', ...service } },
});
const rules = (rule: JsonObject): JsonObject => ({
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], ...rule }],
});
const condition = (expression: string, name = 'x'): JsonObject => ({ matchConditions: [{ name, expression }] });

/** As kube-apiserver 1.34.4 answers them. */
const refusals: [name: string, webhook: JsonObject, message: string][] = [
  [
    'a short name',
    { name: 'short' },
    'webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
  ],
  ['no name', { name: '' }, 'webhooks[0].name: Required value'],
  ['a name in capitals', { name: 'A.b.c' }, `webhooks[0].name: Invalid value: "A.b.c": ${LABEL}`],
  [
    'no place',
    { clientConfig: {} },
    'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
  ],
  [
    'two places',
    { clientConfig: { url: 'https://a.b/c', service: { namespace: 'a', name: 'b' } } },
    'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
  ],
  [
    'no encryption',
    at('http://a.b/c'),
    `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; ${FORM}`,
  ],
  [
    'a user in the URL',
    at('https://u@a.b/c'),
    'webhooks[0].clientConfig.url: Invalid value: "u": user information is not permitted in the URL',
  ],
  [
    'a query',
    at('https://a.b/c?x=1'),
    'webhooks[0].clientConfig.url: Invalid value: "x=1": query parameters are not permitted in the URL',
  ],
  [
    'a fragment',
    at('https://a.b/c#x'),
    'webhooks[0].clientConfig.url: Invalid value: "x": fragments are not permitted in the URL',
  ],
  ['no host', at('https:///x'), `webhooks[0].clientConfig.url: Invalid value: "": host must be specified; ${FORM}`],
  [
    'a port that is none',
    behind({ port: 70000 }),
    'webhooks[0].clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
  ],
  [
    'a bad path',
    behind({ path: '/x y/' }),
    `webhooks[0].clientConfig.service.path: Invalid value: "/x y/": segment[0]: ${LABEL}`,
  ],
  [
    'a relative path',
    behind({ path: 'x//y' }),
    '[webhooks[0].clientConfig.service.path: Invalid value: "x//y": must start with a \'/\', webhooks[0].clientConfig.service.path: Invalid value: "x//y": segment[0] may not be empty, webhooks[0].clientConfig.service.path: Invalid value: "x//y": segment[1] may not be empty]',
  ],
  [
    'a Service without a name',
    { clientConfig: { service: {} } },
    '[webhooks[0].clientConfig.service.name: Required value, webhooks[0].clientConfig.service.namespace: Required value]',
  ],
  [
    'no word about side effects',
    { sideEffects: undefined },
    'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
  ],
  [
    'side effects',
    { sideEffects: 'Some' },
    'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
  ],
  [
    'no review version',
    { admissionReviewVersions: [] },
    'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
  ],
  [
    'review versions that nobody speaks',
    { admissionReviewVersions: ['v2'] },
    'webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
  ],
  [
    'a review version twice',
    { admissionReviewVersions: ['v1', 'v1'] },
    'webhooks[0].admissionReviewVersions[1]: Invalid value: "v1": duplicate version',
  ],
  [
    'another failure policy',
    { failurePolicy: 'Maybe' },
    'webhooks[0].failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"',
  ],
  [
    'another match policy',
    { matchPolicy: 'Maybe' },
    'webhooks[0].matchPolicy: Unsupported value: "Maybe": supported values: "Equivalent", "Exact"',
  ],
  [
    'another reinvocation policy',
    { reinvocationPolicy: 'Often' },
    'webhooks[0].reinvocationPolicy: Unsupported value: "Often": supported values: "IfNeeded", "Never"',
  ],
  [
    'no time',
    { timeoutSeconds: 0 },
    'webhooks[0].timeoutSeconds: Invalid value: 0: the timeout value must be between 1 and 30 seconds',
  ],
  [
    'too much time',
    { timeoutSeconds: 31 },
    'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
  ],
  [
    'a label that is none',
    { namespaceSelector: { matchLabels: { 'a b': 'c' } } },
    `webhooks[0].namespaceSelector.matchLabels: Invalid value: "a b": ${KEY}`,
  ],
  [
    'an operator that is none',
    { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Has' }] } },
    'webhooks[0].namespaceSelector.matchExpressions[0].operator: Invalid value: "Has": not a valid selector operator',
  ],
  [
    'values that are missing',
    { objectSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    "webhooks[0].objectSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ],
  [
    'values that are too many',
    { objectSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] } },
    "webhooks[0].objectSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
  ],
  ['a rule without operations', rules({ operations: [] }), 'webhooks[0].rules[0].operations: Required value'],
  [
    'an operation that is none',
    rules({ operations: ['PATCH'] }),
    'webhooks[0].rules[0].operations[0]: Unsupported value: "PATCH": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
  ],
  [
    'all and one resource',
    rules({ resources: ['*', 'pods'] }),
    'webhooks[0].rules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
  ],
  [
    'all and one subresource',
    rules({ resources: ['pods/*', 'pods/exec'] }),
    'webhooks[0].rules[0].resources[1]: Invalid value: "pods/exec": if \'pods/*\' is present, must not specify pods/exec',
  ],
  [
    'another scope',
    rules({ scope: 'Galaxy' }),
    'webhooks[0].rules[0].scope: Unsupported value: "Galaxy": supported values: "*", "Cluster", "Namespaced"',
  ],
  ['a condition without an expression', condition(''), 'webhooks[0].matchConditions[0].expression: Required value'],
  [
    'a condition with a bad name',
    condition('true', 'a b'),
    `webhooks[0].matchConditions[0].name: Invalid value: "a b": ${KEY}`,
  ],
  [
    'a condition that gives a number',
    condition('1'),
    'webhooks[0].matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
  ],
];

describe('a webhook configuration', () => {
  let lab: WebhookLab;
  before(async () => {
    lab = await startWebhookLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  for (const [name, webhook, message] of refusals) {
    it(`is refused with ${name}`, async () => {
      const answer = await lab.call('POST', PATH, { metadata: { name: 'bad' }, webhooks: [lab.hook('/x', webhook)] });
      assert.deepEqual(
        [answer.code, answer.message],
        [422, `MutatingWebhookConfiguration.admissionregistration.k8s.io "bad" is invalid: ${message}`],
      );
    });
  }

  it('is refused with one name for two webhooks', async () => {
    const body = { metadata: { name: 'bad' }, webhooks: [lab.hook('/a'), lab.hook('/b')] };
    const answer = await lab.call('POST', PATH.replace('mutating', 'validating'), body);
    assert.equal(
      answer.message,
      'ValidatingWebhookConfiguration.admissionregistration.k8s.io "bad" is invalid: webhooks[1].name: Duplicate value: "hook.test.dev"',
    );
  });

  it('is filled with the defaults of Kubernetes', async () => {
    const { service: _, ...hook } = { service: 0, ...lab.hook('/x', behind({})) };
    const { body } = await lab.call('POST', PATH, { metadata: { name: 'defaults' }, webhooks: [hook] });
    const [webhook] = Array.isArray(body['webhooks']) ? body['webhooks'] : [];
    assert.deepEqual(webhook, {
      name: 'hook.test.dev',
      clientConfig: { service: { namespace: 'a', name: 'b', port: 443 } },
      rules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], scope: '*' }],
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      sideEffects: 'None',
      timeoutSeconds: 10,
      admissionReviewVersions: ['v1'],
      reinvocationPolicy: 'Never',
    });
  });
});
