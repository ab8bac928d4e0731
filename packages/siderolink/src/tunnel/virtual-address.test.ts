import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { generateWireguardKey, wireguardPublicKey } from '../wireguard-keys.ts';
import { parseVirtualAddress, virtualAddress, virtualAddressOf } from './virtual-address.ts';

const SERVER = 'AKfdafTbmPeEqjtDc3OPGK9FriGO7CCBBIOZG4RjgmY=';
const NODE = 'GXTgVT1mkBwEo/0Q8jdYiDdNbY2UHGCyFGv9T3cdXkA=';

describe('the virtual address of a tunnelled machine', () => {
  it('is the same for the same keys, in the tunnel prefix of every installation', () => {
    assert.equal(virtualAddress(SERVER, NODE), '[fdae:41e4:649b:9304:8f8:a909:935e:5567]:50888');
    assert.equal(virtualAddress(SERVER, NODE), virtualAddress(SERVER, NODE));
  });

  it('is another one for another machine and for another server', () => {
    const other = wireguardPublicKey(generateWireguardKey());
    const all = [virtualAddress(SERVER, NODE), virtualAddress(SERVER, other), virtualAddress(other, NODE)];
    assert.equal(new Set(all).size, 3);
  });

  it('is never the network or the server', () => {
    const cases: [host: number[], want: string][] = [
      [[0, 0, 0, 0, 0, 0, 0, 0], '[fdae:41e4:649b:9304:100::]:50888'],
      [[0, 0, 0, 0, 0, 0, 0, 1], '[fdae:41e4:649b:9304:100::1]:50888'],
      [[0, 0, 0, 0, 0, 0, 0, 2], '[fdae:41e4:649b:9304::2]:50888'],
      [[1, 0, 0, 0, 0, 0, 0, 1], '[fdae:41e4:649b:9304:100::1]:50888'],
    ];
    for (const [host, want] of cases) assert.equal(virtualAddressOf(Uint8Array.from(host)), want);
  });

  it('is not made of what is no key', () => {
    for (const [server, node] of [
      ['', NODE],
      [SERVER, 'nonsense'],
    ] as const) {
      assert.throws(
        () => virtualAddress(server, node),
        (error) => isBloomeryError(error, 'BLM_LINK_KEY_INVALID'),
      );
    }
  });
});

describe('reading a virtual address', () => {
  const cases: [text: string, want: string | undefined][] = [
    ['[fdae:41e4:649b:9304::2]:50888', '[fdae:41e4:649b:9304::2]:50888'],
    ['[fdae:41e4:649b:9304::2]:50889', '[fdae:41e4:649b:9304::2]:50888'],
    ['[FDAE:41E4:649B:9304:0:0:0:2]:1', '[fdae:41e4:649b:9304::2]:50888'],
    ['10.0.0.1:50888', '10.0.0.1:50888'],
    ['', undefined],
    ['fdae:41e4:649b:9304::2', undefined],
    ['[fdae:41e4:649b:9304::2]', undefined],
    ['[fdae:41e4:649b:9304::2]:', undefined],
    ['[fdae:41e4:649b:9304::2]:65536', undefined],
    ['[fdae:41e4:649b:9304::2%eth0]:1', undefined],
    ['[fdae::41e4::1]:1', undefined],
    ['999.0.0.1:1', undefined],
    ['[fdae:41e4:649b:9304::2]:1, [fdae:41e4:649b:9304::3]:1', undefined],
  ];
  for (const [text, want] of cases) {
    it(`${JSON.stringify(text)} is ${want ?? 'none'}`, () => assert.equal(parseVirtualAddress(text), want));
  }

  it('gives back every address that is made, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.string(), (host, text) => {
        assert.equal(parseVirtualAddress(virtualAddressOf(host)), virtualAddressOf(host));
        parseVirtualAddress(text);
      }),
    );
  });
});
