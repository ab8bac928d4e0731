import assert from 'node:assert/strict';
import { it } from 'node:test';
import { selectModules } from './kernel-modules.ts';

const index = {
  dependencies: [
    'kernel/a/virtio-net.ko: kernel/b/failover.ko',
    'kernel/b/failover.ko:',
    'kernel/c/other.ko:',
    '',
  ].join('\n'),
  aliases: ['# comment', 'alias virtio:d00000001v* virtio_net', 'alias pci:v1 other', ''].join('\n'),
};

it('takes modules with what they need, and indexes of only these', () => {
  assert.deepEqual(selectModules(index, ['virtio_net', 'absent']), {
    missing: ['absent'],
    paths: ['kernel/a/virtio-net.ko', 'kernel/b/failover.ko'],
    dependencies: 'kernel/a/virtio-net.ko: kernel/b/failover.ko\nkernel/b/failover.ko:\n',
    aliases: 'alias virtio:d00000001v* virtio_net\n',
  });
});
