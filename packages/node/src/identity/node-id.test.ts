import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import fc from 'fast-check';
import { Identity } from '../resources/index.ts';
import { testEnvironment } from '../testing/index.ts';
import { identityControllers, LOCAL_IDENTITY } from './index.ts';
import { isNodeId, nodeIdText } from './node-id.ts';

/** Made by running upstream's encoder. */
const texts: [hex: string, want: string][] = [
  ['00'.repeat(32), 'A'.repeat(43)],
  ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'fwjO4YDNyAjLsoCKmQiIg4BHaghFUIBEOwgCIYABCAA'],
  [`80${'00'.repeat(30)}01`, 'BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI'],
];

describe('the id of a node', () => {
  for (const [hex, want] of texts) {
    it(`of ${hex.slice(0, 12)}… is ${want.slice(0, 12)}…`, () =>
      assert.equal(nodeIdText(Buffer.from(hex, 'hex')), want));
  }

  it('has only letters and digits, whatever its bytes, and no two ids are the same', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        assert.ok(isNodeId(nodeIdText(a)));
        assert.equal(nodeIdText(a) === nodeIdText(b), Buffer.from(a).equals(b));
      }),
    );
  });
});

describe('the identity of a node', () => {
  const folders: string[] = [];
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));
  async function start(stateDir: string) {
    const runtime = startTestRuntime(identityControllers(testEnvironment({}, { stateDir })));
    await waitFor(
      () =>
        runtime.state.get(Identity, LOCAL_IDENTITY) !== undefined ||
        runtime.runtime.status().some(({ lastError }) => lastError !== ''),
    );
    return runtime;
  }
  const waitFor = async (isTrue: () => boolean): Promise<void> => {
    for (const deadline = Date.now() + 5000; !isTrue() && Date.now() < deadline; )
      await new Promise((resolve) => setImmediate(resolve));
  };
  async function folder(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), 'identity-'));
    folders.push(made);
    return made;
  }

  it('is made once, for the owner only, and found again', async () => {
    const stateDir = join(await folder(), 'state');
    await using first = await start(stateDir);
    const nodeId = first.state.get(Identity, LOCAL_IDENTITY)?.spec.nodeId ?? '';
    assert.ok(isNodeId(nodeId));
    const file = join(stateDir, 'node-identity.yaml');
    assert.equal(await readFile(file, 'utf8'), `nodeId: ${nodeId}\n`);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await writeFile(file, `nodeId: ${'B'.repeat(43)}\n`);
    await using second = await start(stateDir);
    assert.equal(second.state.get(Identity, LOCAL_IDENTITY)?.spec.nodeId, 'B'.repeat(43));
  });

  it('is not replaced when its file is damaged', async () => {
    const stateDir = await folder();
    const file = join(stateDir, 'node-identity.yaml');
    await writeFile(file, 'nodeId:\n');
    await using runtime = await start(stateDir);
    assert.equal(runtime.state.get(Identity, LOCAL_IDENTITY), undefined);
    assert.match(String(runtime.runtime.status()[0]?.lastError), /it holds no node id/);
    assert.equal(await readFile(file, 'utf8'), 'nodeId:\n');
  });
});
