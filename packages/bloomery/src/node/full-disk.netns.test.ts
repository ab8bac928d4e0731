import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import {
  BLOOMERY,
  makeNodeNamespace,
  type NodeNamespace,
  ONE_CARD,
  startNode,
  whyNoNodeNamespace,
} from '../testing/node-process.ts';

/** Every write to a file fails, as on a full disk; pipes go on. */
const FULL = ['sh', '-c', 'trap "" XFSZ; ulimit -f 0; exec "$@"', 'sh'];

describe('a host whose disk is full', { skip: whyNoNodeNamespace() }, () => {
  let namespace: NodeNamespace;
  beforeEach(() => {
    namespace = makeNodeNamespace();
  });
  afterEach(() => namespace.end());

  const addresses = (): string => namespace.run('ip', '-o', '-4', 'addr', 'show', 'dev', 'eth0');

  it('has its network after a restart, and what was added is taken back', async () => {
    const before = await startNode(namespace, { config: ONE_CARD });
    await before.stop();
    const flags = ['node', '--state', before.dir, '--api', '127.0.0.1:0'];
    const child = spawn('ip', ['netns', 'exec', namespace.name, ...FULL, BLOOMERY, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const exited = once(child, 'exit');
    await until('it has its address', () => addresses().includes('10.7.0.2/24') || child.exitCode !== null, {
      deadlineMs: 30_000,
      explain: () => stderr,
    });
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null], stderr);
    assert.match(stderr, /node\.ready/);
    assert.match(stderr, /kernel\.journal_unwritten/);
    assert.equal(addresses(), '');
    before.clean();
  });
});
