import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createTalosconfig, readMachineIdentity } from '@bloomery/talos';
import {
  makeNodeNamespace,
  type NodeNamespace,
  type NodeProcess,
  startNode,
  TALOSCTL,
  type TalosctlResult,
  whyNoNodeNamespace,
} from '../testing/node-process.ts';
import { eventually } from '../testing/peer-process.ts';

const skip = TALOSCTL.missing || whyNoNodeNamespace();

const config = (address: string, more = ''): string => `version: v1alpha1
machine:
  type: worker
  network:
    interfaces:
      - interface: eth0
        addresses: [${address}]
${more}`;

const FIRST = '10.99.0.1/24';
let namespace: NodeNamespace;
let node: NodeProcess;
let files: string;

/** Addresses of eth0 as the kernel has them. */
const addresses = (): string[] =>
  (
    JSON.parse(namespace.run('ip', '-j', '-4', 'address', 'show', 'eth0')) as {
      addr_info: { local: string; prefixlen: number }[];
    }[]
  )
    .flatMap(({ addr_info }) => addr_info)
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`)
    .sort();

function written(name: string, text: string): string {
  const path = join(files, name);
  writeFileSync(path, text);
  return path;
}

function ok(...args: readonly string[]): string {
  const { code, stdout, stderr } = node.talosctl(args);
  assert.equal(code, 0, `talosctl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function refused(...args: readonly string[]): string {
  const { code, stderr } = node.talosctl(args);
  assert.notEqual(code, 0, `talosctl ${args.join(' ')} was not refused`);
  return stderr.trim();
}

/** The rows of a table as lists of words. */
const rows = (table: string): string[][] =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}/));

describe('talosctl and the node daemon', { skip }, () => {
  before(async () => {
    files = mkdtempSync(join(tmpdir(), 'talosctl-'));
    namespace = makeNodeNamespace();
    node = await startNode(namespace, { config: config(FIRST) });
  });
  after(async () => {
    await node?.stop();
    namespace?.end();
    node?.clean();
    if (files !== undefined) rmSync(files, { recursive: true, force: true });
  });

  it('speak one version', () => {
    const { stdout, stderr } = node.talosctl(['version', '--short']);
    assert.match(stdout, /NODE: +127\.0\.0\.1\n\s+Tag: +v1\.13\.9/);
    assert.equal(stderr, '');
  });

  it('list the types of resources', () => {
    const [head, ...found] = rows(ok('get', 'rd'));
    assert.deepEqual(head?.slice(0, 4), ['NODE', 'NAMESPACE', 'TYPE', 'ID']);
    assert.ok(found.length >= 54, `${found.length} types`);
    assert.ok(found.some((row) => row[3] === 'linkstatuses.net.talos.dev'));
  });

  it('find types by each of their names', () => {
    for (const name of [
      'machinetype',
      'mt',
      'machinetypes',
      'machinetypes.config.talos.dev',
      'MachineTypes.config.talos.dev',
    ]) {
      assert.deepEqual(rows(ok('get', name))[1], ['127.0.0.1', 'config', 'MachineType', 'machine-type', '1', 'worker']);
    }
    assert.match(refused('get', 'nosuchthing'), /resource "nosuchthing" is not registered/);
  });

  it('show one resource as table, YAML and JSON', () => {
    assert.equal(rows(ok('get', 'mt', 'machine-type')).length, 2);
    assert.match(ok('get', 'mt', 'machine-type', '-o', 'yaml'), /^node: 127\.0\.0\.1\nmetadata:\n.*\nspec: worker\n/s);
    const { spec, metadata } = JSON.parse(ok('get', 'mt', 'machine-type', '-o', 'json')) as {
      spec: string;
      metadata: { owner: string; phase: string };
    };
    assert.deepEqual([spec, metadata.owner, metadata.phase], ['worker', 'config.MachineTypeController', 'running']);
    assert.match(refused('get', 'mt', 'other'), /NotFound.*doesn't exist/);
  });

  it('show the machine configuration as it was written', () => {
    assert.match(
      ok('get', 'mc', 'v1alpha1', '-o', 'yaml'),
      /\nspec: \|\n {4}version: v1alpha1\n {4}machine:\n {6}type: worker\n/,
    );
    assert.equal(ok('read', '/system/state/config.yaml'), config(FIRST));
  });

  it('watch what changes', async () => {
    const watch = node.follow(['get', 'addressspecs', '-w']);
    try {
      await eventually('the address is there', () => watch.stdout().includes(FIRST), watch.stderr);
      ok('apply-config', '-f', written('watched.yaml', config('10.99.0.7/24')));
      await eventually(
        'both changes are seen',
        () => {
          const lines = watch.stdout().split('\n');
          return (
            lines.some((line) => /\s\+\s/.test(line) && line.includes('10.99.0.7/24')) &&
            lines.some((line) => /\s-\s/.test(line) && line.includes(FIRST))
          );
        },
        () => watch.stdout() + watch.stderr(),
      );
    } finally {
      await watch.stop('SIGKILL');
    }
    ok('apply-config', '-f', written('first.yaml', config(FIRST)));
  });

  it('show links as the kernel has them', () => {
    const [link] = JSON.parse(namespace.run('ip', '-j', 'link', 'show', 'eth0')) as {
      ifindex: number;
      address: string;
      mtu: number;
    }[];
    const { spec } = JSON.parse(ok('get', 'link', 'eth0', '-o', 'json')) as { spec: Record<string, unknown> };
    assert.deepEqual(
      [spec['index'], spec['hardwareAddr'], spec['mtu'], spec['type'], spec['kind'], spec['operationalState']],
      [link?.ifindex, link?.address, link?.mtu, 'ether', 'veth', 'up'],
    );
  });

  it('watch links that come and go', async () => {
    const watch = node.follow(['get', 'links', '-w']);
    const seen = (event: string): Promise<unknown> =>
      eventually(
        `a line with ${event} extra0`,
        () =>
          watch
            .stdout()
            .split('\n')
            .some((line) => line.split(/\s+/)[1] === event && line.includes(' extra0 ')),
        () => watch.stdout() + watch.stderr(),
      );
    try {
      await eventually('the links are listed', () => watch.stdout().includes(' eth0 '), watch.stderr);
      namespace.run('ip', 'link', 'add', 'extra0', 'type', 'veth', 'peer', 'name', 'extra1');
      await seen('+');
      namespace.run('ip', 'link', 'del', 'extra0');
      await seen('-');
    } finally {
      await watch.stop('SIGKILL');
    }
  });

  it('show the services, and one of them', () => {
    const table = rows(ok('service'));
    assert.deepEqual(
      table.slice(1).map((row) => row.slice(0, 4)),
      [
        ['127.0.0.1', 'apid', 'Running', 'OK'],
        ['127.0.0.1', 'controller-runtime', 'Running', 'OK'],
        ['127.0.0.1', 'machined', 'Running', 'OK'],
      ],
    );
    assert.match(ok('service', 'machined'), /ID\s+machined\nSTATE\s+Running\nHEALTH\s+OK/);
    assert.match(refused('service', 'machined', 'restart'), /Unimplemented/);
  });

  it('show logs, their end, and what comes', async () => {
    assert.match(ok('logs', 'machined'), /^127\.0\.0\.1: \S+ INFO node\.ready /m);
    assert.equal(ok('logs', 'machined', '--tail', '1').trimEnd().split('\n').length, 1);
    const follow = node.follow(['logs', 'machined', '-f', '--tail', '0']);
    try {
      await eventually('the log is followed', () => {
        ok('apply-config', '-f', written('same.yaml', config(FIRST)));
        return follow.stdout().includes('INFO config.apply {"mode":"auto"}');
      });
    } finally {
      await follow.stop('SIGKILL');
    }
    assert.match(refused('logs', 'kubelet'), /log "kubelet" was not registered/);
  });

  it('show the log of the kernel', () => {
    assert.match(ok('dmesg').split('\n', 1)[0] ?? '', /^127\.0\.0\.1: \w+: +\w+: /);
  });

  it('read the files of the node and no others', () => {
    assert.equal(ok('read', '/etc/hosts'), readFileSync('/etc/hosts', 'utf8'));
    assert.match(refused('read', '/etc/shadow'), /PermissionDenied.*\/etc\/shadow.*is not allowed/);
    assert.match(ok('list', '/etc'), /hosts\n.*resolv\.conf/);
  });

  it('show events of the past and as they come', async () => {
    const events = node.follow(['events', '--tail', '-1']);
    try {
      await eventually(
        'the status is told',
        () => events.stdout().includes('machine.MachineStatusEvent'),
        events.stderr,
      );
      node.talosctl(['apply-config', '-f', written('wrong.yaml', 'machine: {x: 1}\n')]);
      await eventually('the refusal is told', () =>
        /ConfigValidationErrorEvent[\s\S]*machine\.x \(line 1\)/.test(events.stdout()),
      );
    } finally {
      await events.stop('SIGKILL');
    }
  });

  it('show sockets and memory', () => {
    const port = node.api.split(':').at(-1) ?? '';
    assert.match(
      ok('netstat', '-l', '-4', '-t'),
      new RegExp(`tcp +0 +0 +127\\.0\\.0\\.1:${port} +0\\.0\\.0\\.0:\\* +LISTEN`),
    );
    assert.match(ok('memory'), /TOTAL/);
  });

  it('refuse other nodes with what to do', () => {
    const want = /Unavailable.*this node does not forward calls, and is not "192\.0\.2\.9"/;
    assert.match(refused('-n', '192.0.2.9', 'get', 'rd'), want);
    assert.match(node.talosctl(['-n', '192.0.2.9', 'version']).stderr, want);
    assert.match(ok('-n', 'localhost', 'get', 'mt'), /^localhost /m);
  });

  it('have nothing to do with containers and reboots', () => {
    for (const command of [['containers'], ['processes'], ['reboot', '--wait=false']]) {
      assert.match(refused(...command), /Unimplemented/);
    }
  });
});

describe('talosctl apply-config', { skip }, () => {
  before(async () => {
    files = mkdtempSync(join(tmpdir(), 'talosctl-'));
    namespace = makeNodeNamespace();
    node = await startNode(namespace, { config: config(FIRST) });
    await eventually('the first address is there', () => addresses().includes(FIRST));
  });
  after(async () => {
    await node?.stop();
    namespace?.end();
    node?.clean();
    if (files !== undefined) rmSync(files, { recursive: true, force: true });
  });

  const apply = (address: string, ...flags: readonly string[]): TalosctlResult =>
    node.talosctl(['apply-config', '-f', written('next.yaml', config(address)), ...flags]);
  const becomes = (...want: string[]): Promise<boolean> =>
    eventually(
      `eth0 has ${want.join(' ')}`,
      () => String(addresses()) === String(want.sort()),
      () => String(addresses()),
    );

  it('shows in a dry run what would change', () => {
    const { stderr } = apply('10.99.0.2/24', '--dry-run');
    assert.match(
      stderr,
      /^Dry run summary:\nApplied configuration without a reboot \(skipped in dry-run\)\.\nConfig diff:\n\n--- a\n\+\+\+ b\n/,
    );
    assert.match(stderr, /\n-\s+- 10\.99\.0\.1\/24\n\+\s+- 10\.99\.0\.2\/24\n/);
    assert.match(apply(FIRST, '--dry-run').stderr, /No changes\.$/m);
    assert.deepEqual(addresses(), [FIRST]);
  });

  for (const mode of ['auto', 'no-reboot']) {
    it(`changes the network in mode ${mode}`, async () => {
      const address = mode === 'auto' ? '10.99.0.3/24' : '10.99.0.4/24';
      const { stderr, code } = apply(address, '--mode', mode);
      assert.deepEqual([code, stderr.trim()], [0, 'Applied configuration without a reboot']);
      await becomes(address);
    });
  }

  it('tries an address and takes it back, also when two trials follow each other', async () => {
    apply(FIRST);
    await becomes(FIRST);
    const { stderr } = apply('10.99.0.5/24', '--mode=try', '--timeout=6s');
    assert.match(stderr, /in 'try' mode and will be automatically reverted back in 6s/);
    await becomes('10.99.0.5/24');
    apply('10.99.0.6/24', '--mode=try', '--timeout=3s');
    await becomes('10.99.0.6/24');
    await becomes(FIRST);
    assert.equal(readFileSync(join(node.dir, 'config.yaml'), 'utf8'), config(FIRST));
  });

  it('keeps a staged configuration for the next start', async () => {
    const { stderr } = apply('10.99.0.8/24', '--mode', 'staged');
    assert.equal(stderr.trim(), 'Staged configuration to be applied after the next reboot');
    assert.deepEqual(addresses(), [FIRST]);
    assert.deepEqual(
      rows(ok('get', 'mc')).map((row) => row[3]),
      ['ID', 'persistent', 'v1alpha1'],
    );
    apply(FIRST);
  });

  it('does not reboot the host, and names what to do', () => {
    const { stderr, code } = apply(FIRST, '--mode', 'reboot');
    assert.equal(code, 1);
    assert.match(stderr, /FailedPrecondition.*--mode=staged/);
  });

  it('names line and key of what is wrong', () => {
    const wrong = written('wrong.yaml', config('10.99.0.1/33'));
    assert.match(
      refused('apply-config', '-f', wrong),
      /InvalidArgument[\s\S]*invalid CIDR address: 10\.99\.0\.1\/33 \(machine\.network\.interfaces\.0\.addresses\.0, line 7\)/,
    );
  });

  it('is what talosctl patch and edit build on', async () => {
    ok(
      'patch',
      'mc',
      '--patch',
      '[{"op": "add", "path": "/machine/network/interfaces/0/addresses/1", "value": "10.99.0.9/24"}]',
    );
    await becomes(FIRST, '10.99.0.9/24');
  });

  it('leaves a killed daemon with the last confirmed configuration', async () => {
    apply(FIRST);
    await becomes(FIRST);
    apply('10.99.0.5/24', '--mode=try', '--timeout=10m');
    await becomes('10.99.0.5/24');
    const { dir } = node;
    await node.stop('SIGKILL');
    node = await startNode(namespace, { config: config(FIRST), dir });
    await becomes(FIRST);
  });
});

describe('talosctl with certificates of the machine configuration', { skip }, () => {
  /** A talosconfig for one role, of the cluster's authority. */
  const talosconfigs = new Map<string, string>();

  before(async () => {
    files = mkdtempSync(join(tmpdir(), 'talosctl-'));
    namespace = makeNodeNamespace();
    const gen = (...args: string[]): string =>
      execFileSync(TALOSCTL.path, args, { cwd: files, encoding: 'utf8', stdio: 'pipe' });
    gen(
      'gen',
      'config',
      'cluster',
      'https://10.99.0.1:6443',
      '--output',
      files,
      '--with-docs=false',
      '--with-examples=false',
    );
    node = await startNode(namespace, { config: readFileSync(join(files, 'controlplane.yaml'), 'utf8') });
    gen('--talosconfig', 'talosconfig', 'config', 'endpoints', node.api);
    gen('--talosconfig', 'talosconfig', 'config', 'nodes', '127.0.0.1');
    const { ca, caKey = '' } = readMachineIdentity(readFileSync(join(files, 'controlplane.yaml'), 'utf8'));
    for (const role of ['os:admin', 'os:operator', 'os:reader']) {
      const text = await createTalosconfig({
        bundle: { os: { crt: ca, key: caKey } },
        clusterName: 'cluster',
        endpoints: [node.api],
        roles: [role],
        nowMs: Date.now(),
        random: (length) => randomBytes(length),
      });
      const file = written(`talosconfig-${role.slice(3)}`, text);
      gen('--talosconfig', file, 'config', 'nodes', '127.0.0.1');
      talosconfigs.set(role, file);
    }
  });
  after(async () => {
    await node?.stop();
    namespace?.end();
    node?.clean();
    if (files !== undefined) rmSync(files, { recursive: true, force: true });
  });

  const as = (role: string, ...args: string[]): TalosctlResult => node.talosctl(args, talosconfigs.get(role));

  it('is let in by its talosconfig', () => {
    const { stdout, stderr } = node.talosctl(['version', '--short'], join(files, 'talosconfig'));
    assert.match(stdout, /NODE: +127\.0\.0\.1\n\s+Tag: +v1\.13\.9/, stderr);
  });

  it('is let in by the talosconfig of the node, too', () => assert.match(ok('get', 'mt'), /controlplane/));

  for (const role of ['os:operator', 'os:reader']) {
    it(`may look at what is not sensitive as ${role}`, () => {
      assert.match(as(role, 'get', 'mt').stdout, /controlplane/);
      for (const type of ['mc', 'linkspecs', 'deviceconfigspecs', 'operatorspecs']) {
        assert.match(as(role, 'get', type).stderr, /PermissionDenied.*not authorized/, type);
      }
      assert.match(as(role, 'read', '/etc/hosts').stderr, /PermissionDenied.*not authorized/);
      const file = join(files, 'controlplane.yaml');
      assert.match(as(role, 'apply-config', '-f', file).stderr, /PermissionDenied.*not authorized/);
    });
  }

  it('may look at everything as os:admin', () => {
    assert.equal(as('os:admin', 'get', 'mc').code, 0);
    assert.equal(as('os:admin', 'get', 'linkspecs').code, 0);
  });

  it('is not let in by a stranger', () => {
    const gen = [
      'gen',
      'config',
      'other',
      'https://10.99.0.1:6443',
      '--output',
      'strange',
      '--output-types',
      'talosconfig',
    ];
    execFileSync(TALOSCTL.path, gen, { cwd: files, stdio: 'pipe' });
    const strange = join(files, 'strange');
    const { code, stderr } = node.talosctl(['-e', node.api, '-n', '127.0.0.1', 'version'], strange);
    assert.equal(code, 1);
    assert.match(stderr, /Unavailable.*(certificate|authority)/);
    assert.match(refused('-e', node.api, '-n', node.api, 'get', '--insecure', 'mt'), /Unavailable/);
  });
});

describe('talosctl get --insecure', { skip }, () => {
  const first = 'apiVersion: v1alpha1\nkind: LinkConfig\nname: eth0\naddresses: [{address: 10.99.0.1/24}]\n';
  before(async () => {
    files = mkdtempSync(join(tmpdir(), 'talosctl-'));
    namespace = makeNodeNamespace();
    node = await startNode(namespace, { config: first });
  });
  after(async () => {
    await node?.stop();
    namespace?.end();
    node?.clean();
    if (files !== undefined) rmSync(files, { recursive: true, force: true });
  });

  it('shows a node in maintenance, but not what is sensitive', () => {
    assert.match(ok('-n', node.api, 'get', '-i', 'addressspecs'), /10\.99\.0\.1\/24/);
    assert.match(refused('-n', node.api, 'get', '-i', 'mc'), /PermissionDenied/);
    assert.match(ok('-n', node.api, 'version', '--insecure'), /v1\.13\.9/);
  });

  it('ends with the first machine configuration', async () => {
    const file = written('whole.yaml', config(FIRST));
    const { code, stderr } = node.talosctl(['-n', node.api, 'apply-config', '--insecure', '-f', file]);
    assert.equal(code, 0, stderr);
    // The answer comes before the configuration is in force.
    const insecurely = (): TalosctlResult => node.talosctl(['-n', node.api, 'get', '-i', 'addressspecs']);
    await eventually('maintenance is over', () => insecurely().code !== 0);
    assert.match(insecurely().stderr, /Unavailable/);
    assert.match(ok('get', 'mt'), /worker/);
  });
});
