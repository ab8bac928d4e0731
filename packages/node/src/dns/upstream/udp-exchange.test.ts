import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

const canUnshare = spawnSync('unshare', ['--net', 'true']).status === 0;

/** Runs where no network is: connecting a socket fails at once. */
const ASK = `
import { askByUdp } from ${JSON.stringify(join(import.meta.dirname, 'udp-exchange.ts'))};
import { PROBE } from ${JSON.stringify(join(import.meta.dirname, 'upstream-question.ts'))};
const upstream = { address: '192.0.2.1', port: 53, protocol: 'Do53' };
const random = (length) => new Uint8Array(length);
await askByUdp(upstream, PROBE, { random, signal: AbortSignal.timeout(5_000) }).then(
  () => console.log('answered'),
  (error) => console.log(error.message),
);
`;

it('a server to which there is no route is a failure of that question, not of the daemon', {
  skip: canUnshare ? false : 'needs root for a network namespace',
}, () => {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--net', process.execPath, '--input-type=module', '-e', ASK],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /192\.0\.2\.1.*(?:unreachable|ENETUNREACH)/);
});
