import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readLinkArguments } from './link-arguments.ts';
import { readLinkDocuments, redactSideroLinkConfig } from './link-document.ts';
import { createRetryDelay } from './retry-delay.ts';
import { rememberedToken } from './unique-token.ts';

describe('the kernel arguments of the link', () => {
  it('are its API (the first one), the sink and all log destinations', () => {
    const text =
      'BOOT_IMAGE=/vmlinuz "siderolink.api=grpc://a:1?jointoken=x y" siderolink.api=b siderolink.apix=c ' +
      'talos.events.sink=[fd00::1]:4002 talos.logging.kernel=tcp://[fd00::1]:4001 talos.logging.kernel=udp://h:1 ' +
      'talos.logging.kernel=udp://h:1 quiet\n';
    assert.deepEqual(readLinkArguments(text), {
      api: 'grpc://a:1?jointoken=x y',
      eventSink: '[fd00::1]:4002',
      kernelLogDestinations: ['tcp://[fd00::1]:4001', 'udp://h:1'],
    });
  });
  it('may be missing or empty', () => {
    assert.deepEqual(readLinkArguments('quiet siderolink.api= talos.config=x'), { kernelLogDestinations: [] });
  });
  it('never break on any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void readLinkArguments(`siderolink.api=${text}`)));
  });
});

describe('the documents of the link', () => {
  const config = [
    'version: v1alpha1\nmachine:\n  type: worker\n',
    'apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: "https://h?grpc_tunnel=y&jointoken=a%20b*~"\nuniqueToken: t\n',
    'apiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: "[fd00::1]:4002"\n',
    'apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: a\nurl: tcp://[fd00::1]:4001/\n',
    'apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: b\nurl: tcp://[fd00::1]:4001/\n',
  ].join('---\n');
  it('are read among others', () => {
    assert.deepEqual(readLinkDocuments(config), {
      siderolink: { apiUrl: 'https://h?grpc_tunnel=y&jointoken=a%20b*~', uniqueToken: 't' },
      eventSink: '[fd00::1]:4002',
      kernelLogDestinations: ['tcp://[fd00::1]:4001/'],
    });
  });
  it('show no tokens', () => {
    const { siderolink } = readLinkDocuments(config);
    assert.ok(siderolink);
    assert.deepEqual(redactSideroLinkConfig(siderolink), {
      apiUrl: 'https://h?grpc_tunnel=y&jointoken=REDACTED',
      uniqueToken: 'REDACTED',
    });
    const other = { apiUrl: 'grpc://h/?b=1&a=*~ &jointoken=1&jointoken=2#f', uniqueToken: '' };
    assert.deepEqual(redactSideroLinkConfig(other), {
      apiUrl: 'grpc://h/?a=%2A~+&b=1&jointoken=REDACTED#f',
      uniqueToken: '',
    });
  });
  it('are refused with the reason', () => {
    const head = 'apiVersion: v1alpha1\nkind: SideroLinkConfig\n';
    assert.throws(() => readLinkDocuments(head), { code: 'BLM_LINK_CONFIG_INVALID', message: /apiUrl is required/ });
    for (const text of [
      `${head}apiUrl: https://h\napiURL: x\n`,
      'kind: SideroLinkConfig\napiUrl: https://h\n',
      `${head}---\n${head}`,
    ]) {
      assert.throws(() => readLinkDocuments(text), { code: 'BLM_TALOS_CONFIG_INVALID' });
    }
    assert.throws(() => readLinkDocuments('a: [1'), { code: 'BLM_TALOS_CONFIG_INVALID' });
    assert.deepEqual(readLinkDocuments(''), { kernelLogDestinations: [] });
  });
});

describe('the unique token', () => {
  const random = (length: number): Uint8Array => randomBytes(length);
  const store = (kept: string | undefined) => {
    const log: string[] = [];
    return {
      log,
      load: async () => kept,
      save: async (token: string) => {
        log.push(token);
      },
    };
  };
  it('is the remembered one before the configured one', async () => {
    const kept = store('kept');
    assert.equal(await rememberedToken('configured', kept, random), 'kept');
    assert.deepEqual(kept.log, []);
  });
  it('is the configured one when none is remembered', async () => {
    assert.equal(await rememberedToken('configured', store(undefined), random), 'configured');
    assert.equal(await rememberedToken('configured', undefined, random), 'configured');
    assert.equal(await rememberedToken(undefined, undefined, random), '');
  });
  it('is made and written before it is used', async () => {
    const kept = store('');
    const token = await rememberedToken('', kept, random);
    assert.match(token, /^[\w-]{43}$/);
    assert.deepEqual(kept.log, [token]);
    const full = { load: async () => undefined, save: () => Promise.reject(new Error('disk full')) };
    await assert.rejects(rememberedToken(undefined, full, random), /disk full/);
  });
});

describe('the delay between tries', () => {
  it('grows to its bound, spread over its upper half, and starts again after a success', () => {
    const delay = createRetryDelay({ firstMs: 100, maxMs: 400 }, (length) => randomBytes(length));
    const [a = 0, b = 0, ...rest] = Array.from({ length: 10 }, () => delay.next());
    assert.ok(a >= 50 && a <= 100 && b >= 100 && b <= 200, `${a} ${b}`);
    assert.ok(rest.every((ms) => ms >= 200 && ms <= 400));
    delay.reset();
    assert.ok(delay.next() <= 100);
  });
});
