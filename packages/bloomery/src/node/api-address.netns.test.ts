import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

describe('the address of the API', { skip: whyNoNodeNamespace() }, () => {
  let namespace: NodeNamespace;
  beforeEach(() => {
    namespace = makeNodeNamespace();
  });
  afterEach(() => namespace.end());

  it('may be one that the daemon itself gives to the host', async () => {
    const node = await startNode(namespace, { config: ONE_CARD, args: ['--api', '10.7.0.2:0'] });
    assert.match(node.api, /^10\.7\.0\.2:\d+$/);
    assert.equal(await node.stop(), 0);
    node.clean();
  });

  it('is waited for with the network as it shall be, and a signal ends the wait', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'bloomery-api-'));
    const file = join(dir, 'given.yaml');
    writeFileSync(file, ONE_CARD);
    const flags = ['node', '--config', file, '--state', join(dir, 'state'), '--api', '192.0.2.9:0'];
    const child = spawn('ip', ['netns', 'exec', namespace.name, BLOOMERY, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const exited = once(child, 'exit');
    const addresses = (): string => namespace.run('ip', '-o', '-4', 'addr', 'show', 'dev', 'eth0');
    const isWaiting = (): boolean => stderr.includes('talos_api.waits_for_address') && addresses().includes('10.7.0.2');
    await until('it waits', () => isWaiting() || child.exitCode !== null, {
      deadlineMs: 30_000,
      explain: () => stderr,
    });
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null], stderr);
    assert.equal(addresses(), '');
    rmSync(dir, { recursive: true, force: true });
  });
});
