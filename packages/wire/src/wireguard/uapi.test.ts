import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { decodeUapiGet, decodeUapiSecrets, encodeUapiSet, isWholeUapiAnswer, uapiErrno } from './uapi.ts';

const KEY = 'XKe00RWj3kHMBrOhzXYPf8GpkbCCz5iqjwFdQs+bBBw=';
const HEX = '5ca7b4d115a3de41cc06b3a1cd760f7fc1a991b082cf98aa8f015d42cf9b041c';

const ANSWER = [
  `private_key=${HEX}`,
  'listen_port=51821',
  `public_key=${HEX}`,
  'endpoint=[::1]:9',
  'last_handshake_time_sec=2',
  'last_handshake_time_nsec=500000000',
  'tx_bytes=7',
  'rx_bytes=8',
  'persistent_keepalive_interval=25',
  'allowed_ip=fd00::2/128',
  'protocol_version=1',
  'errno=0',
  '',
  '',
].join('\n');

describe('WireGuard UAPI', () => {
  it('writes preshared keys, also none, the firewall mark, and changes of known peers only', () => {
    const peer = { publicKey: KEY, remove: false, replaceAllowedIps: false, allowedIps: [] };
    const peers = [
      { ...peer, presharedKey: KEY, updateOnly: true },
      { ...peer, presharedKey: '' },
    ];
    const lines = [`public_key=${HEX}`, 'update_only=true', `preshared_key=${HEX}`];
    assert.equal(
      encodeUapiSet({ firewallMark: 7, peers }),
      ['set=1', 'fwmark=7', ...lines, `public_key=${HEX}`, `preshared_key=${'0'.repeat(64)}`, '', ''].join('\n'),
    );
  });

  it('reads what a device keeps secret, and that there is none', () => {
    const other = HEX.replace('5c', '5d');
    const text = [`private_key=${HEX}`, 'fwmark=7', `public_key=${other}`, `preshared_key=${HEX}`].join('\n');
    const { privateKey, firewallMark, presharedKeys } = decodeUapiSecrets(`${text}\n`);
    assert.deepEqual([privateKey, firewallMark], [KEY, 7]);
    assert.deepEqual([...presharedKeys], [[Buffer.from(other, 'hex').toString('base64'), KEY]]);
    const none = decodeUapiSecrets(
      `private_key=${'0'.repeat(64)}\npublic_key=${HEX}\npreshared_key=${'0'.repeat(64)}\n`,
    );
    assert.deepEqual([none.privateKey, none.firewallMark, none.presharedKeys.size], ['', 0, 0]);
    for (const bad of ['private_key=7\n', 'fwmark=x\n', `public_key=${HEX}0\n`])
      assert.throws(() => decodeUapiSecrets(bad), { code: 'BLM_WIRE_MALFORMED' });
  });

  it('writes a set request with hex keys and a closing empty line', () => {
    const text = encodeUapiSet({
      privateKey: KEY,
      listenPort: 0,
      replacePeers: true,
      peers: [
        { publicKey: KEY, remove: true, replaceAllowedIps: false, allowedIps: [] },
        {
          publicKey: KEY,
          remove: false,
          replaceAllowedIps: true,
          allowedIps: ['fd00::2/128'],
          endpoint: '10.0.0.1:5',
          keepaliveSeconds: 25,
        },
      ],
    });
    assert.equal(
      text,
      [
        'set=1',
        `private_key=${HEX}`,
        'listen_port=0',
        'replace_peers=true',
        `public_key=${HEX}`,
        'remove=true',
        `public_key=${HEX}`,
        'endpoint=10.0.0.1:5',
        'persistent_keepalive_interval=25',
        'replace_allowed_ips=true',
        'allowed_ip=fd00::2/128',
        '',
        '',
      ].join('\n'),
    );
  });

  it('refuses values that would add lines', () => {
    const peer = { publicKey: KEY, remove: false, replaceAllowedIps: true, allowedIps: ['::/0\nremove=true'] };
    assert.throws(() => encodeUapiSet({ peers: [peer] }), { code: 'BLM_WIRE_MALFORMED' });
  });

  it('reads what a device reports about its peers', () => {
    assert.deepEqual(decodeUapiGet(ANSWER), {
      listenPort: 51821,
      peers: [
        {
          publicKey: KEY,
          allowedIps: ['fd00::2/128'],
          endpoint: '[::1]:9',
          keepaliveSeconds: 25,
          lastHandshakeMs: 2500,
          receivedBytes: 8,
          sentBytes: 7,
        },
      ],
    });
    assert.equal(uapiErrno(ANSWER), 0);
    assert.equal(isWholeUapiAnswer(ANSWER), true);
    assert.equal(uapiErrno('errno=-22\n\n'), -22);
  });

  it('survives cut and mutated answers', () => {
    const mutated = fc
      .tuple(fc.nat(ANSWER.length), fc.nat(ANSWER.length), fc.string({ maxLength: 5 }))
      .map(([a, b, s]) => ANSWER.slice(0, Math.min(a, b)) + s + ANSWER.slice(Math.max(a, b)));
    fc.assert(
      fc.property(mutated, (text) => {
        try {
          decodeUapiGet(text);
        } catch (error) {
          assert.ok(isBloomeryError(error, 'BLM_WIRE_MALFORMED'));
        }
      }),
      { verbose: true, numRuns: 2000 },
    );
  });
});
