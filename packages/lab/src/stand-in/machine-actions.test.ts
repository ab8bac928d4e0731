import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { grpcStatusOf } from '@bloomery/grpc';
import { createMachineActions, type Ending } from './machine-actions.ts';
import { createSequenceLog } from './sequence-log.ts';
import { createServiceBoard } from './service-board.ts';

describe('a worker of the stand-in', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-actions-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const saved: string[] = [];
  const endings: Ending[] = [];
  const board = createServiceBoard({ service: () => '' }, () => 0);
  const machine = createMachineActions({
    ...{ version: 'v0', hostname: 'w', board, sequences: createSequenceLog(), etcd: undefined, config: 'a: 1' },
    end: (ending) => endings.push(ending),
    saveConfig: async (config) => void saved.push(config),
  });
  const refused = (status: string) => (error: unknown) => grpcStatusOf(error) === status;

  it('refuses what only control planes do, and what no stand-in does', async () => {
    for (const call of [machine.bootstrap(), machine.etcdMembers(), machine.etcdLeaveCluster()]) {
      await assert.rejects(call, refused('FAILED_PRECONDITION'));
    }
    await assert.rejects(machine.bootstrap({ recoverEtcd: true }), refused('UNIMPLEMENTED'));
    await assert.rejects(machine.upgrade('image'), refused('UNIMPLEMENTED'));
    await assert.rejects(machine.kubeconfig(), refused('UNIMPLEMENTED'));
  });
  it('lists a directory with what lies in it, a file alone, and nothing where nothing is', async () => {
    writeFileSync(join(dir, 'f'), 'abc');
    const names = async (path: string) => (await machine.list(path)).map(({ name }) => name);
    assert.deepEqual(await names(dir), [dir, join(dir, 'f')]);
    assert.deepEqual(await names(join(dir, 'f')), [join(dir, 'f')]);
    await assert.rejects(machine.list(join(dir, 'g')), refused('NOT_FOUND'));
  });
  it('says how its services are, in the words of Talos', async () => {
    board.set('kubelet', { state: 'PREPARING', message: 'no API', isHealthy: undefined });
    board.set('kubelet', { state: 'RUNNING', message: 'ok', isHealthy: true });
    assert.deepEqual(await machine.services(), [{ id: 'kubelet', state: 'Running', healthy: true, message: 'ok' }]);
  });
  it('keeps another configuration and reboots into it, unless it is only asked what it would do', async () => {
    const apply = (config: string, mode: 'auto' | 'staged' | 'no-reboot', dryRun = false) =>
      machine.applyConfiguration(config, { mode, dryRun });
    assert.equal((await apply('a: 1', 'auto')).mode, 'no-reboot');
    assert.equal((await apply('a: 2', 'auto', true)).mode, 'reboot');
    await assert.rejects(apply('a: 2', 'no-reboot'), refused('UNIMPLEMENTED'));
    assert.deepEqual([saved, endings], [[], []]);
    assert.equal((await apply('a: 3', 'staged')).mode, 'staged');
    assert.deepEqual([saved, endings], [['a: 3'], []]);
    await apply('a: 2', 'auto');
    assert.deepEqual(
      [saved, endings.splice(0)],
      [['a: 3', 'a: 2'], [{ how: 'reboot', sequence: 'applyConfiguration' }]],
    );
  });
  it('ends its run as it is asked to', async () => {
    await machine.reboot();
    await machine.shutdown();
    await machine.reset({ graceful: true, reboot: false });
    assert.deepEqual(endings, [
      { how: 'reboot', sequence: 'reboot' },
      { how: 'poweroff', sequence: 'shutdown' },
      { how: 'poweroff', sequence: 'reset', leave: true, wipe: true },
    ]);
  });
});
