import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, isBloomeryError } from '@bloomery/ports';
import { readConfig } from './read-config.ts';
import { type AsideOptions, readConfigAside } from './read-config-aside.ts';

const config = (hostname: string): string => `version: v1alpha1
machine:
  type: worker
  token: secret-of-the-machine
  network:
    hostname: ${hostname}
    interfaces:
      - interface: eth0
        addresses: [10.5.0.2/24]
        routes: [{network: 0.0.0.0/0, gateway: 10.5.0.1}]
  files: [{path: /var/a, permissions: 0o600, op: create, content: b}]
---
apiVersion: v1alpha1
kind: LinkConfig
name: eth1
mtu: 9000
`;

/** All in a thread. */
const limits = { aloneCharacters: 0, memoryMb: 768, timeMs: 300_000 };
const options = (changed: Partial<AsideOptions> = {}): AsideOptions => ({
  clock: createFakeClock(0),
  signal: new AbortController().signal,
  limits,
  ...changed,
});
const refusedWith =
  (code: Parameters<typeof isBloomeryError>[1], message: string | RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isBloomeryError(error, code), String(error));
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  };

describe('a configuration that is read in a thread of its own', () => {
  it('is the same as one that is read at once, with warnings and differences', async () => {
    const question = { text: config('b'), inForce: config('a'), hideSecrets: true };
    const reading = await readConfigAside(question, options());
    assert.deepEqual(reading, readConfig(question));
    assert.match(reading.diff, /^-.*hostname: a\n\+.*hostname: b$/m);
    assert.doesNotMatch(reading.diff, /secret-of-the-machine/);
  });

  it('leaves the daemon to its work meanwhile', async () => {
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    await readConfigAside({ text: config('a') }, options());
    clearInterval(count);
    assert.ok(turns > 0);
  });

  it('is refused in the same words, with the same facts', async () => {
    const text = config('a').replace('type:', 'tpye:');
    const [aside, atOnce] = await Promise.all(
      [() => readConfigAside({ text }, options()), async () => readConfig({ text })].map((read) =>
        read().catch((error: unknown) => error),
      ),
    );
    assert.ok(isBloomeryError(aside) && isBloomeryError(atOnce));
    assert.deepEqual([aside.code, aside.message, aside.facts], [atOnce.code, atOnce.message, atOnce.facts]);
  });

  it('is refused when it takes more memory than a configuration may', async () => {
    const text = `machine:\n  type: worker\n  certSANs: [${'a,'.repeat(400_000)}]\n`;
    const read = readConfigAside({ text }, options({ limits: { ...limits, memoryMb: 32 } }));
    const message = 'reading machine configuration: it takes more than 32 MB of memory';
    await assert.rejects(read, refusedWith('BLM_TALOS_CONFIG_INVALID', message));
  });

  it('is refused when it takes longer than a configuration may', async () => {
    const clock = createFakeClock(0);
    const read = readConfigAside({ text: config('a') }, options({ clock }));
    await Promise.all([
      assert.rejects(read, refusedWith('BLM_TALOS_CONFIG_INVALID', /: it takes more than 300 s$/)),
      clock.advance(300_000),
    ]);
  });

  it('is given up when the daemon stops', async () => {
    const stopping = new AbortController();
    const read = readConfigAside({ text: config('a') }, options({ signal: stopping.signal }));
    stopping.abort();
    await assert.rejects(read, refusedWith('BLM_NODE_APPLY_BUSY', 'the daemon is stopping'));
  });

  it('is not begun after the daemon has stopped', async () => {
    const read = readConfigAside({ text: config('a') }, options({ signal: AbortSignal.abort() }));
    await assert.rejects(read, refusedWith('BLM_NODE_APPLY_BUSY', 'the daemon is stopping'));
  });
});
