import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { ObjectCache } from '@bloomery/kube';
import type { KindRef, KubeObject } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import { createBootMarks } from './boot-marks.ts';
import { openBootSessions } from './boot-session-registry.ts';
import { createIpxeRoute } from './ipxe-route.ts';

interface Case {
  readonly name: string;
  readonly query: string;
  readonly server?: {
    readonly accepted?: boolean;
    readonly environment?: string;
    readonly bootFromDiskMethod?: string;
    readonly pxeBootAlways?: boolean;
    readonly pxeBootedCondition?: string;
  };
  readonly binding?: { readonly serverClass?: string };
  readonly serverClass?: {
    readonly environment?: string;
    readonly bootFromDiskMethod?: string;
    readonly name?: string;
  };
  readonly environments?: Readonly<Record<string, { readonly args?: readonly string[]; readonly ready?: boolean }>>;
  readonly defaultBootFromDiskMethod?: string;
  readonly extraAgentKernelArgs?: string;
  readonly expect: { readonly status: number; readonly body: string };
}

const NAME = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const vectors = process.env['VECTORS'] ?? resolve(import.meta.dirname, '../../../../test/vectors');
const file = resolve(vectors, 'boot/ipxe.json');

function objectsOf(c: Case): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const put = (kind: string, name: string, spec: unknown, status: unknown = {}): void => {
    found.set(`${kind} ${name}`, { apiVersion: 'v1', kind, metadata: { name }, spec, status });
  };
  if (c.server !== undefined) {
    const { accepted = false, environment, bootFromDiskMethod, pxeBootAlways, pxeBootedCondition } = c.server;
    const conditions = pxeBootedCondition === undefined ? [] : [{ type: 'PXEBooted', status: pxeBootedCondition }];
    const environmentRef = environment === undefined ? {} : { environmentRef: { name: environment } };
    put('Server', NAME, { accepted, bootFromDiskMethod, pxeBootAlways, ...environmentRef }, { conditions });
  }
  if (c.binding !== undefined) {
    const { serverClass } = c.binding;
    put('ServerBinding', NAME, serverClass === undefined ? {} : { serverClassRef: { name: serverClass } });
  }
  if (c.serverClass !== undefined) {
    const { environment, bootFromDiskMethod, name } = c.serverClass;
    const environmentRef = environment === undefined ? {} : { environmentRef: { name: environment } };
    put('ServerClass', name ?? c.binding?.serverClass ?? 'sc', { bootFromDiskMethod, ...environmentRef });
  }
  for (const [name, { args, ready }] of Object.entries(c.environments ?? {})) {
    const urls = ['https://assets.test/vmlinuz', 'https://assets.test/initramfs.xz'] as const;
    const conditions = urls.map((url) => ({ type: 'Ready', status: ready === false ? 'False' : 'True', url }));
    put('Environment', name, { kernel: { url: urls[0], args }, initrd: { url: urls[1] } }, { conditions });
  }
  return found;
}

/** Blanks are collapsed; of the agent's arguments only those from `console=` on are compared. */
function comparable(body: string): string[] {
  return body.split('\n').map((line) => {
    const words = line.split(/ +/);
    const isAgent = words[0] === 'kernel' && words[1]?.startsWith('/env/agent-') === true;
    const from = isAgent ? words.findIndex((word) => word.startsWith('console=')) : 0;
    return (isAgent ? [...words.slice(0, 2), ...words.slice(from)] : words).join(' ');
  });
}

if (!existsSync(file)) it.skip(`ipxe vectors: ${file} does not exist`);
else {
  const { cases }: { readonly cases: readonly Case[] } = JSON.parse(readFileSync(file, 'utf8'));
  describe('/ipxe vectors', () => {
    for (const c of cases) {
      it(c.name, async () => {
        const objects = objectsOf(c);
        const cache: ObjectCache = {
          get: <T extends KubeObject>(kind: KindRef<T>, key: { name: string }) =>
            objects.get(`${kind.kind} ${key.name}`) as T | undefined,
          list: () => [],
        };
        const route = createIpxeRoute({
          cache,
          events: { record() {} },
          marks: createBootMarks({ record() {} }, systemClock, silentLog),
          sessions: openBootSessions,
          serverName: (uuid) => (uuid === '' ? undefined : uuid.toLowerCase()),
          endpoint: { host: '10.77.0.1', port: 8081 },
          linkAddress: () => 'fdae:41e4:649b:9303::1',
          bootFromDiskMethod: c.defaultBootFromDiskMethod ?? 'ipxe-exit',
          extraAgentKernelArgs: (c.extraAgentKernelArgs ?? '').split(' ').filter((arg) => arg !== ''),
          learn: () => {},
          insecureMetadata: true,
        });
        const answer = await route.handle({
          method: 'GET',
          path: '/ipxe',
          query: new URLSearchParams(c.query),
          headers: {},
          address: '10.77.0.9',
          signal: new AbortController().signal,
        });
        assert.equal(answer.status, c.expect.status);
        assert.equal(typeof (answer.body ?? ''), 'string');
        assert.deepEqual(comparable(String(answer.body ?? '')), comparable(c.expect.body));
      });
    }
  });
}
