import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Environment, proxyFor } from './proxy-for.ts';

const ENVIRONMENT: Environment = {
  http_proxy: 'http://plain:3128',
  https_proxy: 'secure:3129',
  all_proxy: 'socks5://all',
};

describe('the proxy of a connection that is no gRPC', () => {
  const cases: [name: string, isTls: boolean, environment: Environment, want: string | undefined][] = [
    ['in plain text is that of HTTP', false, ENVIRONMENT, 'plain'],
    ['with TLS is that of HTTPS', true, ENVIRONMENT, 'secure'],
    ['in plain text is never that of HTTPS', false, { https_proxy: 'secure:3129' }, undefined],
    ['with TLS is never that of HTTP', true, { http_proxy: 'plain:3128' }, undefined],
    ['is that of all where its own is not set', true, { ALL_PROXY: 'socks5://all' }, 'all'],
    ['is none for exceptions', false, { ...ENVIRONMENT, no_proxy: '.example' }, undefined],
  ];
  for (const [name, isTls, environment, want] of cases) {
    it(name, () => {
      assert.equal(proxyFor({ host: 'a.example', port: 80 }, isTls, environment, 'web')?.address.host, want);
    });
  }
});
