import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { linkApiText, parseApiEndpoint } from './api-endpoint.ts';

describe('the text of the API address', () => {
  it('is read back as it was written, in both forms, whatever the token', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('10.0.0.1', 'fd00::1', 'plane.example'),
        fc.integer({ min: 1, max: 65_535 }),
        fc.boolean(),
        fc.boolean(),
        fc.string({ maxLength: 200 }),
        fc.constantFrom('argument' as const, 'document' as const),
        (host, port, tls, tunnel, joinToken, form) => {
          const text = linkApiText({ endpoint: { host, port }, tls, tunnel, joinToken }, form);
          assert.match(text, /^[!-~]+$/, 'it must fit into a kernel command line');
          const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
          assert.deepEqual(parseApiEndpoint(text), { host: at, insecure: !tls, joinToken, tunnel });
        },
      ),
    );
  });
  it('without anything special is that of Sidero', () => {
    const api = { endpoint: { host: 'fd00::1', port: 8081 }, tls: false, tunnel: false };
    assert.equal(linkApiText(api, 'argument'), '[fd00::1]:8081');
    assert.equal(linkApiText({ ...api, joinToken: '' }, 'document'), 'grpc://[fd00::1]:8081');
  });
});
