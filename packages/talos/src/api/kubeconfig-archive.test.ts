import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { readKubeconfigArchive } from './kubeconfig-archive.ts';
import { packKubeconfig } from './server/pack-kubeconfig.ts';

const isMalformed = (error: unknown): boolean => isBloomeryError(error, 'BLM_WIRE_MALFORMED');

describe('the archive with a kubeconfig', () => {
  it('gives the text that was packed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 0, maxLength: 2_000 }), (text) => {
        assert.equal(readKubeconfigArchive(packKubeconfig(text)), Buffer.from(text).toString());
      }),
    );
  });

  it('is refused when it is cut off, no gzip, unpacks to too much, or holds something else', () => {
    const archive = packKubeconfig('apiVersion: v1');
    for (const length of [0, 1, 10, archive.length - 1]) {
      assert.throws(() => readKubeconfigArchive(archive.subarray(0, length)), isMalformed);
    }
    assert.throws(() => readKubeconfigArchive(Buffer.from('apiVersion: v1')), isMalformed);
    assert.throws(() => readKubeconfigArchive(gzipSync(Buffer.alloc(2 * 1024 * 1024))), isMalformed);
    const other = gunzipSync(archive);
    other.write('somethingg', 0);
    assert.throws(() => readKubeconfigArchive(gzipSync(other)), isMalformed);
  });

  it('never hangs or crashes on any tar', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_048 }), (tar) => {
        try {
          readKubeconfigArchive(gzipSync(tar));
        } catch (error) {
          assert.ok(isMalformed(error));
        }
      }),
    );
  });
});
