import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseListen } from './option-reader.ts';
import { parseServeOptions } from './options.ts';

describe('serve options', () => {
  it('have the documented defaults', () => {
    const parsed = parseServeOptions({}, {}, '/data');
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.options.listen, { host: '0.0.0.0', port: 8081 });
    assert.equal(parsed.options.serverRebootTimeoutMs, 1_200_000);
    assert.equal(parsed.options.insecureWipe, true);
    assert.equal(parsed.options.insecureMetadata, false);
    assert.equal(parsed.options.dataDir, '/data');
  });

  it("take upstream's variables, and '-' as not given", () => {
    const parsed = parseServeOptions(
      {},
      {
        SIDERO_CONTROLLER_MANAGER_API_ENDPOINT: '10.0.0.5',
        SIDERO_CONTROLLER_MANAGER_API_PORT: '9999',
        SIDERO_CONTROLLER_MANAGER_CONTAINER_API_PORT: '8082',
        SIDERO_CONTROLLER_MANAGER_SERVER_REBOOT_TIMEOUT: '5m30s',
        SIDERO_CONTROLLER_MANAGER_EXTRA_AGENT_KERNEL_ARGS: '-',
        SIDERO_CONTROLLER_MANAGER_AUTO_ACCEPT_SERVERS: 'true',
      },
      '/data',
    );
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.options.advertise, { host: '10.0.0.5', port: 9999 });
    assert.equal(parsed.options.listen.port, 8082);
    assert.equal(parsed.options.serverRebootTimeoutMs, 330_000);
    assert.deepEqual(parsed.options.extraAgentKernelArgs, []);
    assert.equal(parsed.options.autoAcceptServers, true);
  });

  it('let flags win over variables', () => {
    const parsed = parseServeOptions(
      { insecureWipe: 'true', advertise: '[fd00::1]:80' },
      { SIDERO_CONTROLLER_MANAGER_INSECURE_WIPE: 'false', SIDERO_CONTROLLER_MANAGER_API_ENDPOINT: '10.0.0.5' },
      '/data',
    );
    assert.ok(parsed.ok);
    assert.equal(parsed.options.insecureWipe, true);
    assert.deepEqual(parsed.options.advertise, { host: 'fd00::1', port: 80 });
  });

  it("tell machines several WireGuard endpoints, in order, or the one of upstream's variables", () => {
    const several = parseServeOptions({ siderolinkAdvertise: 'a.example:1,[fd00::1]:2, 10.0.0.1' }, {}, '/d');
    assert.ok(several.ok);
    assert.deepEqual(several.options.siderolinkAdvertise, [
      { host: 'a.example', port: 1 },
      { host: 'fd00::1', port: 2 },
      { host: '10.0.0.1' },
    ]);
    const one = parseServeOptions(
      {},
      {
        SIDERO_CONTROLLER_MANAGER_SIDEROLINK_ENDPOINT: '10.0.0.9',
        SIDERO_CONTROLLER_MANAGER_SIDEROLINK_PORT: '51900',
      },
      '/d',
    );
    assert.ok(one.ok);
    assert.deepEqual(one.options.siderolinkAdvertise, [{ host: '10.0.0.9', port: 51_900 }]);
    assert.equal(one.options.siderolinkListen.port, 51_900);
    assert.ok(!parseServeOptions({ siderolinkAdvertise: 'a.example:1,b b' }, {}, '/d').ok);
  });

  it('want certificate and key together', () => {
    const both = parseServeOptions({ tlsCert: '/c.pem', tlsKey: '/k.pem' }, {}, '/d');
    assert.ok(both.ok);
    assert.deepEqual(both.options.tls, { certFile: '/c.pem', keyFile: '/k.pem' });
    const half = parseServeOptions({ tlsCert: '/c.pem' }, {}, '/d');
    assert.ok(!half.ok);
    assert.deepEqual(half.problems, [
      { flag: '--tls-key', message: 'is missing: --tls-cert and --tls-key go together' },
    ]);
  });

  it('take CIDRs only, and - as none', () => {
    const given = parseServeOptions({ negativeAddressFilter: '10.0.0.0/8,fd00::/8,-' }, {}, '/d');
    assert.ok(given.ok);
    assert.deepEqual(given.options.negativeAddressFilter, ['10.0.0.0/8', 'fd00::/8']);
    for (const bad of ['300.1.1.1/99', '10.0.0.0/33', '10.0.0.0', 'fe80::1%eth0/64', 'fd00::/129', '10.0.0.0/8/8']) {
      assert.ok(!parseServeOptions({ negativeAddressFilter: bad }, {}, '/d').ok, bad);
    }
  });

  it('collect every refused value with its flag', () => {
    assert.ok(!parseServeOptions({ data: '' }, {}, '/d').ok);
    const parsed = parseServeOptions(
      { ipmiPxeMethod: 'floppy', listen: 'nonsense', serverRebootTimeout: '-5s' },
      {},
      '/d',
    );
    assert.ok(!parsed.ok);
    assert.deepEqual(parsed.problems.map((p) => p.flag).sort(), [
      '--ipmi-pxe-method',
      '--listen',
      '--server-reboot-timeout',
    ]);
  });
});

describe('listen addresses', () => {
  it('accept IPv4, IPv6 in brackets and a bare port', () => {
    assert.deepEqual(parseListen('[::1]:80'), { host: '::1', port: 80 });
    assert.deepEqual(parseListen(':69'), { host: '0.0.0.0', port: 69 });
    assert.equal(parseListen('1.2.3.4:70000'), undefined);
  });
});
