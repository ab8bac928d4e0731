import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { loadConfig, loadExtendedConfig } from './config-document.ts';
import { extendTypes } from './type-table.ts';

const types = extendTypes({
  fields: {
    'v1alpha1.Device': [{ yaml: 'address', type: 'string' }],
    'v1alpha1.DeviceWireguardConfig': [{ yaml: 'peers', type: 'lone[]*v1alpha1.DeviceWireguardPeer' }],
    'ours.Thing': [
      { type: 'meta.Meta', inline: true },
      { yaml: 'name', type: 'string' },
      { yaml: 'parts', type: '[]ours.Part' },
    ],
    'ours.Part': [{ yaml: 'count', type: 'int' }],
  },
  documents: [{ apiVersion: 'v1alpha1', kind: 'ThingConfig', named: true, type: 'ours.Thing' }],
});

function refusal(text: string): string {
  try {
    loadExtendedConfig(text, types);
  } catch (error) {
    assert.ok(isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID'));
    return error.message;
  }
  assert.fail('it was taken');
}

const THING = 'apiVersion: v1alpha1\nkind: ThingConfig\nname: a\nparts:\n  - count: 1\n';

describe('types beyond those of Talos', () => {
  it('are taken where they are asked for, and nowhere else', () => {
    const text = `machine: {network: {interfaces: [{address: 10.0.0.1}]}}\n---\n${THING}`;
    const [legacy, thing] = loadExtendedConfig(text, types);
    assert.deepEqual(legacy?.tree, { machine: { network: { interfaces: [{ address: '10.0.0.1' }] } } });
    assert.deepEqual([thing?.kind, thing?.name, thing?.tree['parts']], ['ThingConfig', 'a', [{ count: 1 }]]);
    assert.throws(() => loadConfig(THING), /document kind v1alpha1\/ThingConfig\/a is not registered/);
    assert.throws(() => loadConfig(text.split('---')[0] ?? ''), /unknown key/);
  });

  it('are as strict as Talos, with lines', () => {
    assert.match(refusal(THING.replace('count: 1', 'count: x')), /parts\.0\.count \(line 5\): expected a whole number/);
    assert.match(refusal(`${THING}more: 1\n`), /more \(line 6\): unknown key/);
    assert.match(
      refusal(`${THING}---\n${THING}`),
      /document 2 \(line 7\): duplicate document .* the other one is document 1 \(line 1\)/,
    );
  });

  it('leave those of Talos as they are', () => {
    assert.match(
      refusal('machine: {network: {interfaces: [{mtu: x}]}}'),
      /interfaces\.0\.mtu \(line 1\): expected a whole number/,
    );
  });

  it('may have a mapping for a list of one', () => {
    const wireguard = (peers: string): unknown =>
      loadExtendedConfig(`machine: {network: {interfaces: [{wireguard: {peers: ${peers}}}]}}`, types)[0]?.tree;
    assert.deepEqual(wireguard('{endpoint: a}'), wireguard('[{endpoint: a}]'));
    assert.match(refusal('machine: {network: {interfaces: [{wireguard: {peers: a}}]}}'), /expected a list/);
  });

  it('know the line of each of their places', () => {
    const [, thing] = loadExtendedConfig(`# nothing\n---\nmachine: {}\n---\n${THING}`, types);
    assert.ok(thing !== undefined);
    assert.deepEqual(
      ['', 'name', 'parts.0.count', 'parts.7', 'nowhere'].map((path) => thing.lineOf(path)),
      [5, 7, 9, 8, 5],
    );
  });
});
