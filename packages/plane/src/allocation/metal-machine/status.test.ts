import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConditionChange, mergeConditions } from '@bloomery/kube';
import type { Condition, MetalMachine, Server, ServerBinding } from '@bloomery/model';
import { machineAddresses } from './machine-addresses.ts';
import { boundStatus, progressOf } from './status.ts';

const TIME = '2022-02-11T12:48:35Z';
const INFRA = 'infrastructure.cluster.x-k8s.io/v1alpha3';

function condition(type: string, more: Partial<Condition> = {}): Condition {
  return { type, status: 'True', lastTransitionTime: TIME, ...more };
}

function bindingOf(
  conditions: readonly Condition[],
  spec: Partial<NonNullable<ServerBinding['spec']>> = {},
): ServerBinding {
  return {
    apiVersion: INFRA,
    kind: 'ServerBinding',
    metadata: { name: 'pxe-2' },
    spec: { metalMachineRef: { name: 'm', namespace: 'default' }, ...spec },
    status: { conditions },
  };
}

function machineOf(conditions: readonly Condition[] = []): MetalMachine {
  return {
    apiVersion: INFRA,
    kind: 'MetalMachine',
    metadata: { name: 'm', namespace: 'default' },
    status: { conditions },
  };
}

const LOADED = condition('TalosConfigLoaded');
const VALIDATED = condition('TalosConfigValidated');
const INSTALLED = condition('TalosInstalled');

describe('the status of a MetalMachine', () => {
  it('is what the documentation shows: addresses, host name, and conditions with the times of the binding', () => {
    const found = condition('ProviderSet', {
      status: 'False',
      severity: 'Warning',
      reason: 'ProviderUpdateFailed',
      message: 'Get ... connection refused',
      lastTransitionTime: '2022-02-11T14:20:42Z',
    });
    const binding = bindingOf([LOADED, VALIDATED, INSTALLED], { addresses: ['172.25.0.5'], hostname: 'pxe-2' });
    const status = boundStatus(machineOf([found]), binding, undefined);
    assert.deepEqual(status['addresses'], [
      { type: 'InternalIP', address: '172.25.0.5' },
      { type: 'Hostname', address: 'pxe-2' },
    ]);
    const now = Date.parse('2030-01-01T00:00:00Z');
    assert.deepEqual(mergeConditions([found], status.conditions ?? [], now), [
      condition('Ready', { lastTransitionTime: '2030-01-01T00:00:00Z' }),
      found,
      LOADED,
      VALIDATED,
      INSTALLED,
    ]);
    assert.equal(status['phase'], 'Running');
  });

  it('loses what an earlier binding said, and keeps what others said', () => {
    const before = [INSTALLED, condition('SystemReady'), condition('SideroLinkConnected'), condition('ProviderSet')];
    const changes = boundStatus(machineOf(before), bindingOf([LOADED]), undefined).conditions ?? [];
    const gone = changes.filter((change: ConditionChange) => change.status === null).map(({ type }) => type);
    assert.deepEqual(gone, ['TalosInstalled', 'SystemReady', 'SideroLinkConnected']);
  });

  const cases: [name: string, conditions: readonly Condition[], power: 'on' | 'off', want: string][] = [
    ['nothing is known of a machine that is off', [], 'off', 'Assigned WaitingForPowerOn'],
    ['nothing is known of a machine that is on', [], 'on', 'Booting WaitingForSystem'],
    [
      'the configuration could not be loaded',
      [condition('TalosConfigLoaded', { status: 'False', reason: 'TalosConfigLoadFailed' })],
      'on',
      'Booting ConfigRefused',
    ],
    [
      'the configuration is not valid',
      [LOADED, condition('TalosConfigValidated', { status: 'False', reason: 'TalosConfigValidationFailed' })],
      'on',
      'Booting ConfigRefused',
    ],
    ['the configuration was accepted', [LOADED, VALIDATED], 'on', 'Installing Installing'],
    [
      'it installs',
      [LOADED, VALIDATED, condition('TalosInstalled', { status: 'False', reason: 'TalosInstallationInProgress' })],
      'on',
      'Installing Installing',
    ],
    [
      'the installation failed',
      [LOADED, VALIDATED, condition('TalosInstalled', { status: 'False', reason: 'TalosInstallationFailed' })],
      'on',
      'Installing InstallationFailed',
    ],
    ['it is installed', [LOADED, VALIDATED, INSTALLED], 'on', 'Running'],
    ['it is installed but not ready', [INSTALLED, condition('SystemReady', { status: 'False' })], 'on', 'Running'],
  ];
  for (const [name, conditions, power, want] of cases) {
    it(`is ${want} while ${name}`, () => {
      const server: Server = {
        apiVersion: 'metal.sidero.dev/v1alpha2',
        kind: 'Server',
        metadata: { name: 'pxe-2' },
        status: { power },
      };
      const { phase, wait } = progressOf(bindingOf(conditions), server);
      assert.equal([phase, ...(wait === undefined ? [] : [wait.reason])].join(' '), want);
    });
  }
});

describe('the addresses of a MetalMachine', () => {
  const cases: [name: string, given: string[], want: string[]][] = [
    ['keep the order of the machine', ['10.9.0.2', '10.9.0.1', '192.168.1.1'], ['10.9.0.2', '10.9.0.1', '192.168.1.1']],
    [
      'begin with public ones',
      ['10.10.10.1', '10.20.20.1', '167.183.11.31'],
      ['167.183.11.31', '10.10.10.1', '10.20.20.1'],
    ],
    ['end with unique local ones', ['fd01::1', '2001:db8::1', '10.0.0.1'], ['2001:db8::1', '10.0.0.1', 'fd01::1']],
    [
      'end with those behind a carrier',
      ['100.64.0.1', '127.0.0.1', '172.16.0.1'],
      ['172.16.0.1', '100.64.0.1', '127.0.0.1'],
    ],
    ['may be anything that a user wrote into the binding', ['x', '172.32.0.1'], ['172.32.0.1', 'x']],
  ];
  for (const [name, given, want] of cases) {
    it(name, () =>
      assert.deepEqual(
        machineAddresses(given, undefined).map(({ address }) => address),
        want,
      ),
    );
  }

  it('have no host name where none is known', () => {
    assert.deepEqual(machineAddresses([], ''), []);
    assert.deepEqual(machineAddresses([], 'a'), [{ type: 'Hostname', address: 'a' }]);
  });
});
