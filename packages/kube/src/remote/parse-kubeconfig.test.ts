import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { parseKubeconfig } from './kubeconfig.ts';

const CONFIG = `
apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {cluster: c, user: u}
clusters:
- name: c
  cluster: {server: "https://10.0.0.1:6443/", certificate-authority-data: Q0E=}
users:
- name: u
  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
`;

describe('a kubeconfig that somebody else wrote', () => {
  it('is read where everything is in it', () => {
    assert.deepEqual(parseKubeconfig(CONFIG, 'x'), {
      server: 'https://10.0.0.1:6443',
      ca: 'CA',
      cert: 'CERT',
      key: 'KEY',
      namespace: 'default',
    });
  });

  it('may name a proxy', () => {
    const config = CONFIG.replace('{server', '{proxy-url: "http://proxy:3128", server');
    assert.equal(parseKubeconfig(config, 'x').proxyUrl, 'http://proxy:3128');
  });

  const refused: [name: string, change: (config: string) => string, message: RegExp][] = [
    ['files of authorities', (c) => c.replace('certificate-authority-data', 'certificate-authority'), /names a file/],
    ['files of keys', (c) => c.replace('client-key-data', 'client-key'), /\(client-key\); put its content into/],
    [
      'files of tokens',
      (c) => c.replace('{client-c', '{tokenFile: /etc/shadow, client-c'),
      /\(tokenFile\); put its content into token$/,
    ],
    ['plugins', (c) => c.replace('{client-c', '{exec: {command: sh}, client-c'), /credential plugin/],
    ['older plugins', (c) => c.replace('{client-c', '{auth-provider: {name: x}, client-c'), /credential plugin/],
    ['skipped verification', (c) => c.replace('{server', '{insecure-skip-tls-verify: true, server'), /insecure-skip/],
    ['plain HTTP', (c) => c.replace('https:', 'http:'), /not an https address/],
    ['other proxies', (c) => c.replace('{server', '{proxy-url: "socks5://x", server'), /neither http: nor https:/],
    ['texts that are too large', (c) => c + ' '.repeat(4 * 1024 * 1024), /larger than 4 MiB/],
    ['aliases, which can grow without bound', (c) => `${c}\nx: &a [1]\ny: [*a, *a]`, /reading kubeconfig x: /],
  ];
  for (const [name, change, message] of refused) {
    it(`is refused for ${name}`, () => {
      assert.throws(
        () => parseKubeconfig(change(CONFIG), 'x'),
        (error) => {
          assert.ok(isBloomeryError(error, 'BLM_KUBECONFIG_INVALID'), String(error));
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('is never quoted when it is damaged', () => {
    const damaged = `${CONFIG}\n  client-key-data: [SECRETSECRET`;
    assert.throws(
      () => parseKubeconfig(damaged, 'x'),
      (error) => isBloomeryError(error, 'BLM_KUBECONFIG_INVALID') && !error.message.includes('SECRET'),
    );
  });

  it('gives an access or a refusal, whatever it holds', () => {
    const mutated = fc.tuple(fc.nat(CONFIG.length), fc.nat(20), fc.string({ unit: 'binary', maxLength: 20 }));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), mutated), (given) => {
        const text =
          typeof given === 'string' ? given : CONFIG.slice(0, given[0]) + given[2] + CONFIG.slice(given[0] + given[1]);
        try {
          parseKubeconfig(text, 'x');
        } catch (error) {
          if (!isBloomeryError(error, 'BLM_KUBECONFIG_INVALID')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
