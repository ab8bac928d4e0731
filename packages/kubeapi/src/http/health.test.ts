import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type HealthCheck, healthAnswer, isHealthPath } from './health.ts';

const well: HealthCheck = { name: 'store', problem: () => undefined };
const starting: HealthCheck = { name: 'boot', problem: () => 'not started yet', onlyReady: true };

const cases: [url: string, checks: readonly HealthCheck[], code: number, body: string][] = [
  ['/readyz', [well], 200, 'ok'],
  ['/livez?verbose', [well], 200, '[+]ping ok\n[+]store ok\nlivez check passed\n'],
  ['/readyz', [well, starting], 500, '[+]ping ok\n[+]store ok\n[-]boot failed: not started yet\nreadyz check failed\n'],
  ['/livez', [well, starting], 200, 'ok'],
  ['/healthz', [well, starting], 200, 'ok'],
  ['/readyz?exclude=boot', [well, starting], 200, 'ok'],
  [
    '/readyz?verbose&exclude=boot&exclude=nothing',
    [starting],
    200,
    '[+]ping ok\n[+]boot excluded: ok\nreadyz check passed\n',
  ],
  ['/readyz/ping', [starting], 200, 'ok'],
  ['/readyz/boot', [starting], 500, 'internal server error: not started yet\n'],
  ['/livez/boot', [starting], 404, '404 page not found\n'],
  ['/readyz/nothing', [], 404, '404 page not found\n'],
];

describe('health', () => {
  for (const [url, checks, code, body] of cases) {
    it(`${url} with ${checks.map(({ name }) => name).join(' and ') || 'no checks'} is ${code}`, () => {
      const [path = '', query = ''] = url.split('?');
      const answer = healthAnswer(path, new URLSearchParams(query), checks);
      assert.deepEqual([answer.status, answer.body], [code, body]);
    });
  }

  it('is asked at three paths and below them', () => {
    const paths = ['/healthz', '/livez/ping', '/readyz', '/healthz/', '/healthy', '/'];
    assert.deepEqual(paths.map(isHealthPath), [true, true, true, false, false, false]);
  });
});
