import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock, silentLog, until } from '@bloomery/ports';
import { createTestAuthority } from '@bloomery/talos/testing';
import { loadNodeConfig } from '../config/index.ts';
import { createHostFileKeeper } from '../files/index.ts';
import { PROBLEM_ANNOTATION } from '../layers/index.ts';
import { ACTIVE_CONFIG, EtcFileSpec, EtcFileStatus, MachineConfig } from '../resources/index.ts';
import { testEnvironment } from '../testing/index.ts';
import { createNodeProxies } from './index.ts';
import { bundleWith, trustedRoots } from './trusted-roots.ts';

const BUNDLE = 'etc/ssl/certs/ca-certificates.crt';
const ID = 'ssl/certs/ca-certificates.crt';
const SYSTEM = '-----BEGIN CERTIFICATE-----\nof the system\n-----END CERTIFICATE-----\n';

const indent = (pem: string, by = 4): string => pem.trim().replaceAll(/^/gm, ' '.repeat(by));
const document = (name: string, pem: string): string => `---
apiVersion: v1alpha1
kind: TrustedRootsConfig
name: ${name}
certificates: |
${indent(pem)}
`;
const legacy = (pem: string): string => `version: v1alpha1
machine:
  type: worker
  files:
    - path: /etc/ssl/certs/ca-certificates
      op: append
      permissions: 0o644
      content: |
${indent(pem, 8)}
`;

let first = '';
let second = '';
before(async () => {
  first = (await createTestAuthority()).certificatePem.trim();
  second = (await createTestAuthority()).certificatePem.trim();
});

describe('authorities of the configuration', () => {
  it('are those of documents, then those that are appended to the bundle', () => {
    const config = loadNodeConfig(`${legacy(second)}${document('corp', first)}`);
    assert.deepEqual(trustedRoots(config), { certificates: [first, second], problems: [] });
    assert.deepEqual(trustedRoots(undefined), { certificates: [], problems: [] });
  });
  it('are read at once from megabytes of beginnings without an end', () => {
    const certificates = '-----BEGIN CERTIFICATE-----\n'.repeat(150_000);
    const document = { kind: 'TrustedRootsConfig', name: 'a', line: 1, value: { certificates } };
    const { problems } = trustedRoots({ text: '', documents: [document] });
    assert.deepEqual(problems, ['TrustedRootsConfig a: it has no PEM certificate']);
  });
  it('are left out when they are none, and the others count', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
    const { certificates, problems } = trustedRoots({
      text: '',
      documents: [
        { kind: 'TrustedRootsConfig', name: 'a', line: 1, value: { certificates: 'hello' } },
        { kind: 'TrustedRootsConfig', name: 'b', line: 1, value: { certificates: `${first}\n${broken}` } },
        { kind: 'TrustedRootsConfig', name: 'c', line: 1, value: { certificates: second } },
      ],
    });
    assert.deepEqual(certificates, [second]);
    assert.equal(problems[0], 'TrustedRootsConfig a: it has no PEM certificate');
    assert.match(problems[1] ?? '', /^TrustedRootsConfig b: certificate 2 cannot be read: /);
  });
  it('stand behind the bundle, joined by blank lines', () => {
    assert.equal(bundleWith('system', ['a', 'b']), 'system\n\na\n\nb\n');
    assert.equal(bundleWith('system\n', ['a']), 'system\n\na\n');
    assert.equal(bundleWith('', ['a']), 'a\n');
  });
});

describe('the bundle of the host', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'blm-roots-'));
    mkdirSync(join(root, 'etc/ssl/certs'), { recursive: true });
    writeFileSync(join(root, BUNDLE), SYSTEM);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function start(enabled: boolean) {
    const clock = createFakeClock(1_700_000_000_000);
    const environment = testEnvironment({ clock }, { root });
    const files = createHostFileKeeper({ root, stateDir: join(root, 'state'), enabled, log: silentLog });
    const proxies = createNodeProxies(environment, { processEnvironment: {}, files });
    const runtime = startTestRuntime(proxies.controllers, { definitions: [MachineConfig], clock });
    return {
      runtime,
      dialer: proxies.dialer,
      files,
      bundle: () => readFileSync(join(root, BUNDLE), 'utf8'),
      apply: (text: string) => runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(text)),
    };
  }

  it('has them while they are configured, and new connections trust them at once', async () => {
    const { runtime, dialer, bundle, apply } = start(true);
    await using _runtime = runtime;
    await apply(document('corp', first));
    assert.equal(bundle(), `${SYSTEM}\n${first}\n`);
    assert.equal(dialer.authorities?.(), first);
    const spec = runtime.state.get(EtcFileSpec, ID);
    assert.deepEqual(spec?.spec, { contents: bundle(), mode: 0o644, selinux_label: '' });
    assert.deepEqual(runtime.specs(EtcFileStatus), { [ID]: { specVersion: '1' } });
    await apply(`${document('corp', first)}${document('other', second)}`);
    assert.equal(bundle(), `${SYSTEM}\n${first}\n\n${second}\n`);
    assert.deepEqual(runtime.specs(EtcFileStatus), { [ID]: { specVersion: '2' } });
    await apply('version: v1alpha1\nmachine:\n  type: worker\n');
    assert.equal(bundle(), SYSTEM);
    assert.deepEqual([runtime.specs(EtcFileSpec), runtime.specs(EtcFileStatus)], [{}, {}]);
    assert.equal(dialer.authorities?.(), undefined);
  });

  it('has them again when somebody writes it anew', async () => {
    const { runtime, bundle, apply, files } = start(true);
    await using _runtime = runtime;
    await apply(document('corp', first));
    writeFileSync(join(root, BUNDLE), 'newer\n');
    await until('it is written again', async () => {
      await runtime.advance(1_000);
      return bundle() === `newer\n\n${first}\n`;
    });
    await files.restore();
    assert.equal(bundle(), 'newer\n');
  });

  it('stays as it is where files of the host are not written; the resource shows what would be', async () => {
    const { runtime, bundle, apply, dialer } = start(false);
    await using _runtime = runtime;
    await apply(document('corp', first));
    assert.equal(bundle(), SYSTEM);
    assert.equal(runtime.specs(EtcFileSpec)[ID]?.contents, `${SYSTEM}\n${first}\n`);
    assert.deepEqual(runtime.specs(EtcFileStatus), {});
    assert.equal(dialer.authorities?.(), first);
  });

  it('what is left out is said', async () => {
    const { runtime, apply } = start(false);
    await using _runtime = runtime;
    await apply(
      `${document('corp', first)}${document('bad', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')}`,
    );
    const problem = runtime.state.get(EtcFileSpec, ID)?.metadata.annotations[PROBLEM_ANNOTATION];
    assert.match(problem ?? '', /^TrustedRootsConfig bad: certificate 1 cannot be read/);
  });
});
