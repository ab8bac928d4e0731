import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LABELS } from '@bloomery/model';
import { createJourneyLog } from './journey-log.ts';
import { REPORTED_CONDITIONS, STAGES, type Stage, stagesSeen } from './machine-stages.ts';

describe('the log of a journey', () => {
  it('tells each stage once, and keeps it when its state passes', () => {
    const log = createJourneyLog();
    log.poweredOn('m1', 1000);
    assert.deepEqual(log.note('m1', new Set<Stage>(['Registered', 'Accepted']), 21_500), ['Registered', 'Accepted']);
    assert.deepEqual(log.note('m1', new Set<Stage>(['Registered', 'Wiped']), 31_000), ['Wiped']);
    assert.equal(log.secondsAt('m1', 'Accepted'), 20.5);
    assert.equal(
      log.table(['m1']).split('\n').slice(0, 5).join('\n'),
      [
        'stage         m1',
        'Registered    20.5 s (+20.5)',
        'Accepted      20.5 s (+0.0)',
        'BmcReady      -',
        'Wiped         30.0 s (+9.5)',
      ].join('\n'),
    );
  });
});

const conditions = (...types: readonly string[]) =>
  types.map((type) => ({ type, status: 'True' as const, lastTransitionTime: '' }));

describe('the stages of a machine', () => {
  it('of which nothing is seen are none', () => {
    const sight = {
      server: undefined,
      binding: undefined,
      metalMachine: undefined,
      machine: undefined,
      console: '',
      kernelLog: [],
    };
    assert.deepEqual([...stagesSeen(sight)], []);
  });
  it('are proven by the API and by its console', () => {
    const metadata = { name: 'forge-cp-2', labels: { [LABELS.controlPlane]: '' } };
    const common = { apiVersion: 'x', metadata };
    const seen = stagesSeen({
      server: {
        ...common,
        kind: 'Server',
        spec: { accepted: true, bmc: { endpoint: '10.77.0.101', passFrom: {} } },
        status: { isClean: true, power: 'off' },
      },
      binding: {
        ...common,
        kind: 'ServerBinding',
        spec: {
          metalMachineRef: { name: 'forge-cp-2' },
          hostname: 'forge-cp-2',
          addresses: ['10.77.0.60', '10.77.0.21'],
        },
        status: { conditions: conditions('SideroLinkConnected', 'TalosInstalled') },
      },
      metalMachine: {
        ...common,
        kind: 'MetalMachine',
        status: { conditions: conditions(...REPORTED_CONDITIONS) },
      },
      machine: { ...common, kind: 'Machine', status: { phase: 'Running', nodeRef: { name: 'forge-cp-2' } } },
      kernelLog: [{ msg: '[talos-stand-in] standin.ready boot=disk hostname=x\n' }],
      console:
        '[ 1.0] [talos-stand-in] standin.started notice="x" boot=network\n[ 1.0] [talos-stand-in] standin.ready boot=disk hostname=x',
    });
    assert.deepEqual([...seen], [...STAGES]);
  });
});
