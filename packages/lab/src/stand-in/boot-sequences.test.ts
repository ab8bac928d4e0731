import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '@bloomery/ports';
import { create, type DescMessage, type MessageInitShape, toJson } from '@bufbuild/protobuf';
import { type BootSequences, createBootSequences } from './boot-sequences.ts';
import { createSequenceLog } from './sequence-log.ts';

/** The events that are told, as `Name {json}`. */
async function told(run: (boot: BootSequences) => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const send = <D extends DescMessage>(schema: D, payload: MessageInitShape<D>): string => {
    lines.push(`${schema.name} ${JSON.stringify(toJson(schema, create(schema, payload)))}`);
    return '';
  };
  await run(createBootSequences({ send }, silentLog, createSequenceLog()));
  return lines;
}

describe('a boot of the stand-in tells', () => {
  it('sequences, phases and tasks with their ends', async () => {
    const lines = await told((boot) =>
      boot.sequence('boot', () => boot.phase('config', () => boot.task('loadConfig', async () => 1))),
    );
    assert.deepEqual(lines, [
      'SequenceEvent {"sequence":"boot","action":"START"}',
      'PhaseEvent {"phase":"config"}',
      'TaskEvent {"task":"loadConfig"}',
      'TaskEvent {"task":"loadConfig","action":"STOP"}',
      'PhaseEvent {"phase":"config","action":"STOP"}',
      'SequenceEvent {"sequence":"boot","action":"STOP"}',
    ]);
  });
  it('an installation that ends well as broken off by its reboot', async () => {
    const lines = await told((boot) => boot.sequence('install', async () => {}, 'reboot'));
    assert.deepEqual(lines, [
      'SequenceEvent {"sequence":"install","action":"START"}',
      'SequenceEvent {"sequence":"install","error":{"message":"sequence failed: unix.Reboot (Talos stand-in)"}}',
    ]);
  });
  it('a failure with its error, and the end of the phase all the same', async () => {
    const fail = async (): Promise<void> => {
      throw new TypeError('no disk');
    };
    const lines = await told((boot) =>
      assert.rejects(
        boot.sequence('install', () => boot.phase('install', fail)),
        /no disk/,
      ),
    );
    assert.deepEqual(lines, [
      'SequenceEvent {"sequence":"install","action":"START"}',
      'PhaseEvent {"phase":"install"}',
      'PhaseEvent {"phase":"install","action":"STOP"}',
      'SequenceEvent {"sequence":"install","error":{"message":"sequence failed: no disk"}}',
    ]);
  });
});
