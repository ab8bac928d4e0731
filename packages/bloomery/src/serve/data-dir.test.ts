import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { defaultDataDir, type Endpoints, prepareDataDir, recordCurrent, writeEndpoints } from './data-dir.ts';

const none: Endpoints = {
  kube: null,
  http: '127.0.0.1:8081',
  grpc: null,
  tftp: null,
  dhcp: null,
  siderolink: null,
  discovery: null,
  metrics: null,
  console: null,
};

describe('the data directory', () => {
  it('is private, and an earlier run leaves no endpoints behind', () => {
    const dir = join(mkdtempSync(join(tmpdir(), 'bloomery-data-')), 'nested');
    prepareDataDir(dir);
    writeEndpoints(dir, none);
    assert.equal(JSON.parse(readFileSync(join(dir, 'endpoints.json'), 'utf8')).http, '127.0.0.1:8081');
    prepareDataDir(dir);
    assert.equal(existsSync(join(dir, 'endpoints.json')), false);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
  });

  it('is refused at once where nothing can be made, though the parent is there', {
    skip: !existsSync('/proc/self') && 'no /proc',
  }, () => {
    for (const dir of ['/proc/bloomery', '/proc/bloomery/below'])
      assert.throws(
        () => prepareDataDir(dir),
        (e) => isBloomeryError(e, 'BLM_SERVE_DATA_DIR'),
      );
  });

  it('names itself when it cannot be used', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'bloomery-data-')), 'file');
    writeFileSync(file, '');
    assert.throws(
      () => prepareDataDir(join(file, 'below')),
      (e) => isBloomeryError(e, 'BLM_SERVE_DATA_DIR') && e.message.includes(file),
    );
  });

  it('is recorded for commands that are given none', () => {
    const home = mkdtempSync(join(tmpdir(), 'bloomery-state-'));
    recordCurrent(home, '/data/one');
    recordCurrent(home, '/data/two');
    assert.equal(readFileSync(join(home, 'bloomery/current'), 'utf8'), '/data/two\n');
  });

  it("is the system's for root and the user's for others", () => {
    assert.equal(defaultDataDir(0, {}), '/var/lib/bloomery');
    assert.equal(defaultDataDir(1000, { HOME: '/home/u' }), '/home/u/.local/share/bloomery');
  });
});
