import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock } from '@bloomery/ports';
import type { NodeDocument } from '../config/node-config.ts';
import { configOf } from '../links/testing/link-world.ts';
import {
  ACTIVE_CONFIG,
  HostnameStatus,
  MachineConfig,
  NetworkStatus,
  NodeAddress,
  ProbeSpec,
  ProbeStatus,
  RouteStatus,
} from '../resources/index.ts';
import { testEnvironment } from '../testing/index.ts';
import { type AskEndpoint, createAskEndpoint, createEtcFiles, hostAndPort, networkStatusControllers } from './index.ts';

const probe = (kind: string, value: NodeDocument['value']): NodeDocument => ({ kind, name: 'p', line: 1, value });
const TCP = probe('TCPProbeConfig', { endpoint: 'proxy:3128', interval: '2s', failureThreshold: 3, timeout: '5s' });

function start(ask: AskEndpoint, etcFiles = createEtcFiles([])) {
  const clock = createFakeClock(1_700_000_000_000);
  const controllers = networkStatusControllers(testEnvironment({ clock }), { etcFiles, ask });
  return startTestRuntime(controllers, {
    clock,
    definitions: [MachineConfig, NodeAddress, RouteStatus, HostnameStatus],
  });
}

const unasked: AskEndpoint = async () => assert.fail('there is no probe');

describe('the status of the network', () => {
  it('says what is ready', async () => {
    const etcFiles = createEtcFiles(['hosts', 'resolv.conf']);
    await using runtime = start(unasked, etcFiles);
    const status = () => Object.values(runtime.specs(NetworkStatus)['status'] ?? {});
    await runtime.settled();
    assert.deepEqual(status(), [false, false, false, false]);
    await runtime.put(NodeAddress, 'current', NodeAddress.make({ addresses: ['10.0.0.5/24'] }));
    await runtime.put(RouteStatus, 'x', RouteStatus.make({ dst: '10.0.0.0/8', type: 'unicast' }));
    assert.deepEqual(status(), [true, false, false, false]);
    await runtime.put(RouteStatus, 'y', RouteStatus.make({ gateway: '10.0.0.1', type: 'unicast' }));
    await runtime.put(HostnameStatus, 'hostname', { hostname: 'node', domainname: '' });
    etcFiles.set('hosts', true);
    await runtime.advance(1000);
    assert.deepEqual(status(), [true, true, true, false]);
    etcFiles.set('resolv.conf', true);
    await runtime.advance(1000);
    assert.deepEqual(status(), [true, true, true, true]);
    etcFiles.set('hosts', false);
    await runtime.advance(1000);
    assert.deepEqual(status(), [true, true, true, false]);
  });

  it('takes an unreachable default route for none', async () => {
    await using runtime = start(unasked);
    await runtime.put(RouteStatus, 'y', RouteStatus.make({ type: 'unreachable' }));
    assert.equal(runtime.specs(NetworkStatus)['status']?.connectivityReady, false);
  });

  it('asks probes instead of routes once there are any', async () => {
    let works = false;
    await using runtime = start(async () => {
      if (!works) throw new Error('connection refused');
    });
    await runtime.put(RouteStatus, 'y', RouteStatus.make({ gateway: '10.0.0.1', type: 'unicast' }));
    const ready = () => runtime.specs(NetworkStatus)['status']?.connectivityReady;
    assert.equal(ready(), true);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([], [TCP]));
    assert.equal(ready(), false);
    works = true;
    await runtime.advance(3000);
    assert.equal(ready(), true);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([]));
    assert.deepEqual([ready(), runtime.specs(ProbeStatus), runtime.specs(ProbeSpec)], [true, {}, {}]);
  });
});

describe('probes', () => {
  it('fail after so many questions in a row without an answer, and succeed at the first one', async () => {
    const asked: string[] = [];
    let works = true;
    await using runtime = start(async ({ tcp }) => {
      asked.push(tcp.endpoint);
      if (!works) throw new Error('connection refused');
    });
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([], [TCP]));
    const status = () => runtime.specs(ProbeStatus)['tcp:proxy:3128'];
    await runtime.advance(1000);
    assert.deepEqual([status(), asked.length], [{ success: true, lastError: '' }, 1]);
    works = false;
    await runtime.advance(4000);
    assert.deepEqual([status()?.success, asked.length], [true, 3]);
    await runtime.advance(2000);
    assert.deepEqual([status(), asked.length], [{ success: false, lastError: 'connection refused' }, 4]);
    works = true;
    await runtime.advance(2500);
    assert.deepEqual(status(), { success: true, lastError: '' });
  });

  it('are asked again in another way when they are configured anew, and no longer when they are gone', async () => {
    let asked = 0;
    await using runtime = start(async () => void asked++);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([], [TCP]));
    const quick = probe('TCPProbeConfig', { ...TCP.value, interval: '1ms' });
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([], [quick]));
    const before = asked;
    await runtime.advance(1000);
    // Not every millisecond: so often at most.
    assert.equal(asked - before, 10);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([]));
    const then = asked;
    await runtime.advance(10_000);
    assert.equal(asked, then);
  });

  it('that get no answer end with their time', async () => {
    await using runtime = start(
      (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const value = { endpoint: 'https://example.org/', timeout: '3s' };
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([], [probe('HTTPProbeConfig', value)]));
    await runtime.advance(2900);
    assert.deepEqual(runtime.specs(ProbeStatus), {});
    await runtime.advance(1200);
    assert.deepEqual(runtime.specs(ProbeStatus), {
      'http:https://example.org/': { success: false, lastError: 'no answer in 3000 ms' },
    });
  });

  it('have defaults, and no endpoint means none', async () => {
    await using runtime = start(async () => {});
    const documents = [probe('TCPProbeConfig', { endpoint: 'a:1' }), probe('TCPProbeConfig', {})];
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([], documents));
    const want = ProbeSpec.make({ interval: 1000, tcp: { endpoint: 'a:1', timeout: 10_000 }, layer: 'configuration' });
    assert.deepEqual(runtime.specs(ProbeSpec), { 'tcp:a:1': want });
    const yaml = 'interval: 1s\nfailureThreshold: 0\ntcp:\n    endpoint: a:1\n    timeout: 10s\nlayer: configuration\n';
    assert.equal(ProbeSpec.codec.toYaml(want), yaml);
  });
});

describe('endpoints of probes', () => {
  const askEndpoint = createAskEndpoint();
  const signal = new AbortController().signal;
  const tcp = (endpoint: string) => ProbeSpec.make({ tcp: { endpoint, timeout: 1000 } });
  const http = (endpoint: string) => ProbeSpec.make({ http: { endpoint, timeout: 1000 } });

  it('answer by taking a connection', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await askEndpoint(tcp(`127.0.0.1:${port}`), signal);
    await askEndpoint(tcp(`localhost:${port}`), signal);
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(askEndpoint(tcp(`127.0.0.1:${port}`), signal), /asking 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });

  it('of HTTP answer with a success', async () => {
    const server = createHttpServer((request, response) => {
      response.statusCode = request.url === '/fine' ? 204 : 503;
      response.end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    try {
      await askEndpoint(http(`${base}/fine`), signal);
      await assert.rejects(askEndpoint(http(`${base}/other`), signal), /it answered with status 503/);
      await assert.rejects(
        askEndpoint(http(base), AbortSignal.abort(new Error('no answer in time'))),
        /no answer in time/,
      );
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('are looked up once at a time, however many questions have given up meanwhile', async () => {
    const answers: ((error: Error | null) => void)[] = [];
    const ask = createAskEndpoint((_host, _options, tell) => void answers.push((error) => tell(error, '')));
    const give = async (endpoint: ProbeSpec): Promise<unknown> => {
      const limit = new AbortController();
      const asking = ask(endpoint, limit.signal).catch(String);
      await new Promise((resolve) => setImmediate(resolve));
      limit.abort(new Error('no answer in time'));
      return asking;
    };
    for (let i = 0; i < 5; i++) {
      assert.match(`${await give(tcp('silent.example:1'))}`, /asking silent\.example:1: no answer in time/);
      assert.match(`${await give(http('http://silent.example/'))}`, /no answer in time/);
    }
    assert.ok(answers.length >= 1 && answers.length <= 2, `${answers.length} look-ups`);
    const next = ask(tcp('silent.example:1'), signal);
    for (const answer of answers.splice(0)) answer(new Error('EAI_AGAIN'));
    await assert.rejects(next, /EAI_AGAIN/);
    const later = assert.rejects(ask(tcp('silent.example:1'), signal), /ENOTFOUND/);
    for (const answer of answers.splice(0)) answer(new Error('ENOTFOUND'));
    await later;
  });

  const cases: [text: string, want: { host: string; port: number } | undefined][] = [
    ['proxy.example.com:3128', { host: 'proxy.example.com', port: 3128 }],
    ['[fd00::1]:80', { host: 'fd00::1', port: 80 }],
    ['10.0.0.1:65535', { host: '10.0.0.1', port: 65_535 }],
    ['10.0.0.1:65536', undefined],
    ['10.0.0.1:0', undefined],
    ['10.0.0.1', undefined],
    ['[nonsense]:80', undefined],
    ['fd00::1:80', undefined],
    [':80', undefined],
  ];
  for (const [text, want] of cases) {
    it(`${text} ${want === undefined ? 'is none' : 'is read'}`, () => assert.deepEqual(hostAndPort(text), want));
  }
  it('that are none are refused', () => assert.rejects(askEndpoint(tcp('proxy'), signal), /this is no HOST:PORT/));
});
