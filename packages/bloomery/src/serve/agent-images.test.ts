import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findAgentImages } from './agent-images.ts';

const base = {
  dataDir: '/data',
  env: {},
  home: '/root',
  passwd: 'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n',
};
const find = (env: Readonly<Record<string, string>>, there: readonly string[]): string =>
  findAgentImages({ ...base, env, exists: (path) => there.includes(path) });

describe('agent images without a flag', () => {
  it('come from the data directory first', () =>
    assert.equal(find({}, ['/data/agent-images', '/root/.cache/bloomery/images']), '/data/agent-images'));
  it("come from the cache of the user's set-up", () =>
    assert.equal(find({ XDG_CACHE_HOME: '/c' }, ['/c/bloomery/images']), '/c/bloomery/images'));
  it('come from the cache of the user who called sudo', () =>
    assert.equal(find({ SUDO_USER: 'ann' }, ['/home/ann/.cache/bloomery/images']), '/home/ann/.cache/bloomery/images'));
  it('are expected in the own cache when they are nowhere', () =>
    assert.equal(find({ SUDO_USER: 'nobody-known' }, []), '/root/.cache/bloomery/images'));
});
