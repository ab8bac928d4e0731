import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Schema } from '@bloomery/model';
import { messageOfKind } from './message-of-kind.ts';
import { kindSchema, messageNameOf, messageSchema } from './message-schema.ts';
import { hasMessage, messageOf } from './message-table.ts';
import { ACCESS_MESSAGES } from './messages/access-messages.ts';
import { CORE_MESSAGES } from './messages/core-messages.ts';
import { EXTENSIONS_MESSAGES } from './messages/extensions-messages.ts';
import { NETWORK_MESSAGES } from './messages/network-messages.ts';
import { SHARED_MESSAGES } from './messages/shared-messages.ts';
import { WORKLOADS_MESSAGES } from './messages/workloads-messages.ts';

const tables: { readonly [group: string]: string } = {
  ...ACCESS_MESSAGES,
  ...CORE_MESSAGES,
  ...EXTENSIONS_MESSAGES,
  ...NETWORK_MESSAGES,
  ...SHARED_MESSAGES,
  ...WORKLOADS_MESSAGES,
};
const names = Object.entries(tables).flatMap(([group, table]) =>
  [...table.matchAll(/^(\w+)/gm)].map(([, name = '']) => `${group}.${name}`),
);

const propertyOf = (schema: Schema, ...path: string[]): Schema =>
  path.reduce<Schema>((inner, name) => (name === '[]' ? inner.items : inner.properties?.[name]) ?? {}, schema);

describe('the table of messages', () => {
  it('can be read line by line, and every message that is named is there', () => {
    for (const name of names) {
      for (const { shape } of messageOf(name).fields) {
        const inner = shape.of === 'list' || shape.of === 'map' ? shape.element : shape;
        if (inner.of === 'message') assert.ok(hasMessage(inner.name), `${name} names ${inner.name}`);
      }
    }
    assert.ok(names.length > 350, String(names.length));
  });

  it('gives each field of a message a number and a name of its own', () => {
    for (const name of names) {
      const { fields } = messageOf(name);
      assert.equal(new Set(fields.map((field) => field.number)).size, fields.length, name);
      const named = fields.filter((field) => field.name !== '');
      assert.equal(new Set(named.map((field) => field.name)).size, named.length, name);
    }
  });

  it('says all of a field', () => {
    const ports = messageOf('core.Container').fields.find((field) => field.name === 'ports');
    assert.deepEqual(ports, {
      name: 'ports',
      number: 6,
      shape: { of: 'list', element: { of: 'message', name: 'core.ContainerPort' } },
      always: false,
      required: false,
      pointer: false,
      atomic: false,
      patch: { strategy: 'merge', key: 'containerPort' },
      listKeys: ['containerPort', 'protocol'],
      default: undefined,
    });
  });

  it('has no message of another name', () => {
    assert.throws(() => messageOf('core.Nothing'), RangeError);
    assert.throws(() => messageOf('nowhere.Pod'), RangeError);
    assert.equal(hasMessage('core.Nothing'), false);
  });

  it('knows kinds by their version, and parts of kinds are none', () => {
    assert.equal(messageOfKind('apps/v1', 'Deployment'), 'apps.Deployment');
    assert.equal(messageOfKind('any.test/v7', 'DeleteOptions'), 'meta.DeleteOptions');
    for (const [apiVersion, kind] of [
      ['v1', 'PodSpec'],
      ['apps/v1beta1', 'Deployment'],
      ['g.test/v1', 'Thing'],
      ['constructor', 'Pod'],
    ] as const) {
      assert.equal(messageOfKind(apiVersion, kind), undefined, `${apiVersion} ${kind}`);
    }
  });
});

describe('schemas of built-in kinds', () => {
  const deployment = kindSchema('apps.Deployment', 'x');
  const pod = ['spec', 'template', 'spec'];

  it('merge containers by name, and their ports by number and protocol', () => {
    const containers = propertyOf(deployment, ...pod, 'containers');
    assert.deepEqual(
      [containers['x-kubernetes-list-map-keys'], containers['x-kubernetes-patch-merge-key']],
      [['name'], 'name'],
    );
    const ports = propertyOf(containers, '[]', 'ports');
    assert.deepEqual(
      [ports['x-kubernetes-list-map-keys'], ports['x-kubernetes-patch-merge-key']],
      [['containerPort', 'protocol'], 'containerPort'],
    );
    assert.equal(propertyOf(ports, '[]', 'protocol').default, 'TCP');
  });

  it('leave tolerations whole, and selectors too', () => {
    assert.equal(propertyOf(deployment, ...pod, 'tolerations')['x-kubernetes-list-type'], undefined);
    assert.equal(propertyOf(deployment, 'spec', 'selector')['x-kubernetes-map-type'], 'atomic');
  });

  it('merge volumes by name and keep one source', () => {
    const volumes = propertyOf(deployment, ...pod, 'volumes');
    assert.equal(volumes['x-kubernetes-patch-strategy'], 'merge,retainKeys');
    assert.ok(propertyOf(volumes, '[]', 'emptyDir').properties, 'sources stand in the volume itself');
  });

  it('require names and selectors, not what Go fills in', () => {
    assert.deepEqual(propertyOf(deployment, 'spec').required, ['selector']);
    assert.deepEqual(propertyOf(deployment, ...pod, 'containers', '[]').required, ['name']);
    assert.equal(kindSchema('core.Event', 'x').required, undefined);
  });

  it('take numbers where quantities are wanted', () => {
    const limits = propertyOf(deployment, ...pod, 'containers', '[]', 'resources', 'limits');
    assert.deepEqual(limits.additionalProperties, {});
  });

  it('share one schema of one message, and know its name', () => {
    assert.equal(messageSchema('core.Probe'), messageSchema('core.Probe'));
    assert.equal(messageNameOf(propertyOf(deployment, ...pod)), 'core.PodSpec');
    assert.equal(messageNameOf({}), undefined);
  });
});
