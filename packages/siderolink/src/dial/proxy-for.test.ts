import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostPort } from '@bloomery/ports';
import fc from 'fast-check';
import { type Environment, proxyFor } from './proxy-for.ts';

const through = (host: string, environment: Environment, isTls = true): string | undefined => {
  const proxy = proxyFor({ host, port: 8081 }, isTls, environment);
  return proxy === undefined ? undefined : `${proxy.kind} ${hostPort(proxy.address)}`;
};

describe('which proxy a connection goes through', () => {
  const wishes: readonly [string, Environment, boolean, string | undefined][] = [
    ['none without variables', {}, true, undefined],
    ['HTTPS_PROXY for TLS', { HTTPS_PROXY: 'http://p:3128' }, true, 'http p:3128'],
    ['HTTPS_PROXY also for plain text', { HTTPS_PROXY: 'http://p:3128', HTTP_PROXY: 'http://q' }, false, 'http p:3128'],
    ['HTTP_PROXY for plain text only', { HTTP_PROXY: 'http://q' }, false, 'http q:80'],
    ['not HTTP_PROXY for TLS', { HTTP_PROXY: 'http://q' }, true, undefined],
    ['ALL_PROXY last', { ALL_PROXY: 'socks5h://s' }, true, 'socks5 s:1080'],
    ['lower-case names', { https_proxy: 'https://p' }, true, 'https p:443'],
    [
      'an upper-case name before a lower-case one',
      { https_proxy: 'http://a', HTTPS_PROXY: 'http://b' },
      true,
      'http b:80',
    ],
    ['a proxy without scheme', { HTTPS_PROXY: 'p:3128' }, true, 'http p:3128'],
    ['IPv6 proxies', { HTTPS_PROXY: 'http://[fd00::1]:3128' }, true, 'http [fd00::1]:3128'],
    ['an empty variable as none', { HTTPS_PROXY: '' }, true, undefined],
  ];
  for (const [title, environment, isTls, want] of wishes) {
    it(`takes ${title}`, () => assert.equal(through('h.example', environment, isTls), want));
  }

  const exceptions: readonly [host: string, noProxy: string, isDirect: boolean][] = [
    ['h.example', '*', true],
    ['h.example', 'h.example', true],
    ['a.h.example', 'h.example', true],
    ['xh.example', 'h.example', false],
    ['h.example', '.h.example', false],
    ['a.h.example', '.h.example', true],
    ['a.h.example', '*.h.example', true],
    ['H.Example.', 'h.example', true],
    ['h.example', 'h.example:8081', true],
    ['h.example', 'h.example:443', false],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '0.0.0.0/0', true],
    ['fd00::1', 'fd00::/8', true],
    ['fe00::1', 'fd00::/8', false],
    ['fd00::1', '[fd00:0::1]:8081', true],
    ['fd00::1', '[fd00::1]:80', false],
    ['10.1.2.3', 'fd00::/8,10.0.0.0/99, ,x', false],
    ['localhost', '', true],
    ['127.0.0.9', '', true],
    ['::1', '', true],
  ];
  for (const [host, noProxy, isDirect] of exceptions) {
    it(`reaches ${host} ${isDirect ? 'straight' : 'through the proxy'} with NO_PROXY=${noProxy}`, () => {
      const environment = { HTTPS_PROXY: 'http://p:1', NO_PROXY: noProxy };
      assert.equal(through(host, environment), isDirect ? undefined : 'http p:1');
    });
  }

  const unusable: readonly [value: string, why: RegExp][] = [
    ['constructor://p:1', /it has the scheme constructor; use http:\/\//],
    ['ftp://p:1', /it has the scheme ftp; use http:\/\//],
    ['http://[p:1', /it is no URL; use http:\/\//],
  ];
  for (const [value, why] of unusable) {
    it(`refuses the proxy ${value}, and says which variable names it`, () => {
      assert.throws(() => through('h.example', { HTTPS_PROXY: value }), why);
    });
  }

  it('never breaks on any exception', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (host, noProxy) => {
        through(host, { HTTPS_PROXY: 'http://p', NO_PROXY: noProxy });
      }),
    );
  });

  it('refuses addresses that are none, naming the variable and not the password', () => {
    for (const HTTPS_PROXY of ['ftp://me:secret@p', 'http://me:secret@', 'http://me:secret@p:99999']) {
      assert.throws(
        () => through('h', { HTTPS_PROXY }),
        (error: Error) => /HTTPS_PROXY/.test(error.message) && !/secret/.test(error.message),
      );
    }
  });
});
