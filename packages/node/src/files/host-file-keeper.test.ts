import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isBloomeryError, type Logger, silentLog } from '@bloomery/ports';
import fc from 'fast-check';
import { createHostFileKeeper, type HostFileKeeper } from './host-file-keeper.ts';

const RESOLV = '/etc/resolv.conf';

describe('the keeper of host files', () => {
  let folder: string;
  let root: string;
  let stateDir: string;
  const warnings: string[] = [];
  const errors: string[] = [];
  const log: Logger = {
    ...silentLog,
    warn: (event) => void warnings.push(event),
    error: (event, fields) => void errors.push(`${event} ${fields?.['problem']}`),
  };
  const start = (enabled = true): HostFileKeeper => createHostFileKeeper({ root, stateDir, enabled, log });
  const at = (path: string): string => join(root, path);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  const text = (path: string): string => readFileSync(at(path), 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blm-keeper-'));
    root = join(folder, 'root');
    stateDir = join(folder, 'state');
    mkdirSync(join(root, 'etc'), { recursive: true });
    warnings.length = 0;
    errors.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('puts content and mode back as they were', async () => {
    put(RESOLV, 'nameserver 192.0.2.1\n');
    chmodSync(at(RESOLV), 0o600);
    const keeper = start();
    await keeper.write(RESOLV, 'nameserver 127.0.0.53\n');
    assert.equal(text(RESOLV), 'nameserver 127.0.0.53\n');
    assert.equal(statSync(at(RESOLV)).mode & 0o777, 0o644);
    await keeper.restore();
    assert.equal(text(RESOLV), 'nameserver 192.0.2.1\n');
    assert.equal(statSync(at(RESOLV)).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(stateDir, 'host-files')), []);
    assert.deepEqual(readdirSync(at('/etc')), ['resolv.conf']);
  });

  it('puts the very first original back after many writes', async () => {
    put(RESOLV, 'first\n');
    const keeper = start();
    for (const content of ['a\n', 'b\n', 'b\n', 'c\n']) await keeper.write(RESOLV, content);
    await keeper.restore();
    assert.equal(text(RESOLV), 'first\n');
    assert.deepEqual(warnings, []);
  });

  it('never waits for a pipe that stands in the place of a file, and leaves it', async () => {
    execFileSync('mkfifo', [at(RESOLV)]);
    const keeper = start();
    await assert.rejects(keeper.write(RESOLV, 'nameserver 127.0.0.53\n'), /resolv\.conf is no regular file/);
    await assert.rejects(keeper.original(RESOLV), /resolv\.conf is no regular file/);
    await keeper.restore();
    assert.equal(lstatSync(at(RESOLV)).isFIFO(), true);
  });

  it('does not take a file of many megabytes into memory, and leaves it', async () => {
    put(RESOLV, '');
    truncateSync(at(RESOLV), 40 * 1024 * 1024);
    await assert.rejects(start().write(RESOLV, 'x'), /resolv\.conf has more than 33554432 bytes/);
    assert.equal(statSync(at(RESOLV)).size, 40 * 1024 * 1024);
  });

  it('takes away what was not there, with the folders made for it', async () => {
    const keeper = start();
    await keeper.write('/etc/ssl/certs/ca-certificates.crt', 'PEM\n');
    assert.equal(text('/etc/ssl/certs/ca-certificates.crt'), 'PEM\n');
    await keeper.restore();
    assert.deepEqual(readdirSync(at('/etc')), []);
  });

  it('leaves a made folder that somebody else put a file into', async () => {
    const keeper = start();
    await keeper.write('/etc/ssl/certs/ca-certificates.crt', 'PEM\n');
    put('/etc/ssl/certs/mine.crt', 'mine');
    await keeper.restore();
    assert.deepEqual(readdirSync(at('/etc/ssl/certs')), ['mine.crt']);
  });

  it('replaces a symlink, never what it leads to, and puts the symlink back', async () => {
    put('/run/systemd/resolve/stub-resolv.conf', 'stub\n');
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', at(RESOLV));
    const keeper = start();
    assert.equal(String(await keeper.original(RESOLV)), 'stub\n');
    await keeper.write(RESOLV, 'ours\n');
    assert.equal(lstatSync(at(RESOLV)).isSymbolicLink(), false);
    assert.equal(text('/run/systemd/resolve/stub-resolv.conf'), 'stub\n');
    assert.equal(String(await keeper.original(RESOLV)), 'stub\n');
    await keeper.restore();
    assert.equal(readlinkSync(at(RESOLV)), '../run/systemd/resolve/stub-resolv.conf');
  });

  it('copes with a symlink that leads nowhere', async () => {
    symlinkSync('/run/nothing', at(RESOLV));
    const keeper = start();
    assert.equal(await keeper.original(RESOLV), undefined);
    await keeper.write(RESOLV, 'ours\n');
    await keeper.restore();
    assert.equal(readlinkSync(at(RESOLV)), '/run/nothing');
  });

  it('puts back at the next start what a crash left', async () => {
    put(RESOLV, 'before\n');
    await start().write(RESOLV, 'ours\n');
    const next = start();
    await next.recover();
    assert.equal(text(RESOLV), 'before\n');
    await next.write(RESOLV, 'ours again\n');
    await next.restore();
    assert.equal(text(RESOLV), 'before\n');
  });

  it('puts back what a crash left also when it may not write any more', async () => {
    put(RESOLV, 'before\n');
    await start().write(RESOLV, 'ours\n');
    await start(false).recover();
    assert.equal(text(RESOLV), 'before\n');
  });

  it('knows its work after a crash between the intent and the deed', async () => {
    put(RESOLV, 'before\n');
    const keeper = start();
    await keeper.write(RESOLV, 'one\n');
    await keeper.write(RESOLV, 'two\n');
    // As if the second write had been recorded as an intent only.
    const [record = ''] = readdirSync(join(stateDir, 'host-files'));
    const file = join(stateDir, 'host-files', record);
    const two = JSON.parse(readFileSync(file, 'utf8'));
    rmSync(file);
    put(RESOLV, 'before\n');
    const other = start();
    await other.write(RESOLV, 'one\n');
    const one = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...two, written: [...one.written, ...two.written] }));
    await start().recover();
    assert.equal(text(RESOLV), 'before\n');
    assert.deepEqual(warnings, []);
  });

  it('leaves what somebody changed since, says so and keeps the original', async () => {
    put(RESOLV, 'before\n');
    const keeper = start();
    await keeper.write(RESOLV, 'ours\n');
    put(RESOLV, 'by hand\n');
    await keeper.restore();
    assert.equal(text(RESOLV), 'by hand\n');
    assert.deepEqual(warnings, ['host-file.left']);
    assert.deepEqual(readdirSync(join(stateDir, 'host-files')), ['%2Fetc%2Fresolv.conf.kept.json']);
    await start().recover();
    assert.equal(text(RESOLV), 'by hand\n');
  });

  it('writes over what somebody changed meanwhile, says so and puts their version back', async () => {
    put(RESOLV, 'before\n');
    const keeper = start();
    await keeper.write(RESOLV, 'ours\n');
    put(RESOLV, 'by a DHCP client\n');
    assert.equal(String(await keeper.original(RESOLV)), 'by a DHCP client\n');
    await keeper.write(RESOLV, 'ours\n');
    assert.equal(text(RESOLV), 'ours\n');
    assert.deepEqual(warnings, ['host-file.changed-by-others']);
    await keeper.restore();
    assert.equal(text(RESOLV), 'by a DHCP client\n');
  });

  it('does not take a removed file for somebody’s wish', async () => {
    put(RESOLV, 'before\n');
    const keeper = start();
    await keeper.write(RESOLV, 'ours\n');
    rmSync(at(RESOLV));
    await keeper.write(RESOLV, 'ours\n');
    assert.equal(text(RESOLV), 'ours\n');
    rmSync(at(RESOLV));
    await keeper.restore();
    assert.equal(text(RESOLV), 'before\n');
    assert.deepEqual(warnings, []);
  });

  it('leaves alone what already is as wanted', async () => {
    put(RESOLV, 'same\n');
    const keeper = start();
    await keeper.write(RESOLV, 'same\n');
    assert.equal(existsSync(join(stateDir, 'host-files')), false);
  });

  it('changes nothing when it may not', async () => {
    put(RESOLV, 'before\n');
    const keeper = start(false);
    await keeper.write(RESOLV, 'ours\n');
    await keeper.keepHostname('node-1');
    assert.equal(text(RESOLV), 'before\n');
    assert.equal(String(await keeper.original(RESOLV)), 'before\n');
    assert.equal(existsSync(at('/proc')), false);
  });

  it('puts one file back and looks after the others', async () => {
    put(RESOLV, 'before\n');
    put('/etc/hosts', 'hosts\n');
    const keeper = start();
    await keeper.write(RESOLV, 'ours\n');
    await keeper.write('/etc/hosts', 'ours\n');
    await keeper.release(RESOLV);
    assert.equal(text(RESOLV), 'before\n');
    assert.equal(text('/etc/hosts'), 'ours\n');
    await keeper.release('/etc/never-written');
    await keeper.restore();
    assert.equal(text('/etc/hosts'), 'hosts\n');
  });

  it('puts the others back when one fails, and names it', async () => {
    put(RESOLV, 'before\n');
    put('/etc/hosts', 'hosts\n');
    const keeper = start();
    await keeper.write('/etc/hosts', 'ours\n');
    await keeper.write(RESOLV, 'ours\n');
    rmSync(at('/etc/hosts'));
    mkdirSync(at('/etc/hosts'));
    await assert.rejects(keeper.restore(), (error: unknown) => {
      assert.ok(isBloomeryError(error, 'BLM_NODE_HOST_FILE'));
      assert.match(error.message, /cannot put back \/etc\/hosts: .* is no regular file/);
      return true;
    });
    assert.equal(text(RESOLV), 'before\n');
  });

  it('starts also when what a crash left cannot be put back, says so, and tries again at the end', async () => {
    put(RESOLV, 'before\n');
    put('/etc/hosts', 'hosts\n');
    const killed = start();
    await killed.write(RESOLV, 'ours\n');
    await killed.write('/etc/hosts', 'ours\n');
    rmSync(at(RESOLV));
    mkdirSync(at(RESOLV));
    const keeper = start();
    await keeper.recover();
    assert.match(errors.join(), /host-files\.unrecovered cannot put back \/etc\/resolv\.conf/);
    assert.equal(text('/etc/hosts'), 'hosts\n');
    rmdirSync(at(RESOLV));
    await keeper.restore();
    assert.equal(text(RESOLV), 'before\n');
  });

  it('starts also when a kept original cannot be read, and then writes no file of the host', async () => {
    put(RESOLV, 'before\n');
    await start().write(RESOLV, 'ours\n');
    const kept = join(stateDir, 'host-files');
    for (const name of readdirSync(kept)) writeFileSync(join(kept, name), '{');
    const keeper = start();
    await keeper.recover();
    assert.match(errors.join(), /host-files\.unrecovered the kept original .* cannot be read/);
    await assert.rejects(keeper.write(RESOLV, 'again\n'), /the kept original .* cannot be read/);
    assert.equal(text(RESOLV), 'ours\n');
  });

  it('does one call after the other', async () => {
    put(RESOLV, 'before\n');
    const keeper = start();
    await Promise.all([...'abcdefgh'].map((letter) => keeper.write(RESOLV, letter)));
    assert.equal(text(RESOLV), 'h');
    await keeper.restore();
    assert.equal(text(RESOLV), 'before\n');
    assert.deepEqual(warnings, []);
  });

  it('never loses what others wrote, in whatever order it writes, is killed, starts and stops', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('write' as const), text: fc.constantFrom('ours 1\n', 'ours 2\n') }),
      fc.record({ do: fc.constant('edit' as const), text: fc.constantFrom('theirs 1\n', 'theirs 2\n') }),
      fc.record({ do: fc.constantFrom('start' as const, 'stop' as const, 'release' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        rmSync(stateDir, { recursive: true, force: true });
        let theirs = 'original\n';
        put(RESOLV, theirs);
        let keeper = start();
        for (const now of steps) {
          if (now.do === 'write') {
            await keeper.write(RESOLV, now.text);
            assert.equal(text(RESOLV), now.text);
          } else if (now.do === 'edit') {
            theirs = now.text;
            put(RESOLV, theirs);
          } else {
            // A start without a stop before it: the last one was killed.
            if (now.do === 'start') keeper = start();
            await (now.do === 'start'
              ? keeper.recover()
              : now.do === 'stop'
                ? keeper.restore()
                : keeper.release(RESOLV));
            assert.equal(text(RESOLV), theirs);
          }
          assert.equal(String(await keeper.original(RESOLV)), theirs);
        }
        await keeper.restore();
        assert.equal(text(RESOLV), theirs);
      }),
      { numRuns: 80 },
    );
  });

  describe('the host name', () => {
    const NAME = '/proc/sys/kernel/hostname';
    beforeEach(() => {
      put('/proc/sys/kernel/random/boot_id', 'boot-1\n');
      put(NAME, 'old\n');
      put('/proc/sys/kernel/domainname', '(none)\n');
    });

    it('is set in the kernel and put back', async () => {
      const inode = statSync(at(NAME)).ino;
      const keeper = start();
      await keeper.keepHostname('node-1', 'example.org');
      assert.equal(text(NAME), 'node-1\n');
      assert.equal(text('/proc/sys/kernel/domainname'), 'example.org\n');
      assert.equal(statSync(at(NAME)).ino, inode);
      await keeper.restore();
      assert.equal(text(NAME), 'old\n');
      assert.equal(text('/proc/sys/kernel/domainname'), '(none)\n');
    });

    it('is not put back after the machine was booted', async () => {
      await start().keepHostname('node-1');
      put('/proc/sys/kernel/random/boot_id', 'boot-2\n');
      put(NAME, 'from-etc-hostname\n');
      await start().recover();
      assert.equal(text(NAME), 'from-etc-hostname\n');
      assert.deepEqual(warnings, []);
    });
  });
});
