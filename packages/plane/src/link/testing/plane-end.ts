import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGrpcHandler } from '@bloomery/grpc';
import { createObjectCache, runInformer } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type KubeObject, secret, serverBinding } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import type { TimelineDraft } from '../../insight/timeline.ts';
import { loadLinkIdentity } from '../link-secret.ts';
import { startLink } from '../start-link.ts';

// The server's end of a link for the namespace tests: one line of JSON on stdin asks, one on stdout answers. What it stored
// outlives it from `save` on.
const [stateDir = '', host = '', ...rest] = process.argv.slice(2);
const names = rest.filter((word) => !word.startsWith('--'));
const wantedPort = Number(rest.find((word) => word.startsWith('--port='))?.slice('--port='.length) ?? 0);
if (rest.includes('--no-nft')) process.env['PATH'] = pathWithout('nft', stateDir);
const binding = (name: string): KubeObject => {
  const spec = { metalMachineRef: { name: `machine-${name}`, namespace: 'default' } };
  const metadata = { name };
  return { apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3', kind: 'ServerBinding', metadata, ...{ spec } };
};
const file = join(stateDir, 'objects.json');
const saved = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
const bindings: readonly KubeObject[] = saved?.bindings ?? names.map(binding);
const client = createMemoryClient({
  objects: [
    ...bindings.map((object) => ({ kind: serverBinding, object })),
    ...(saved === undefined ? [] : [{ kind: secret, object: saved.secret }]),
  ],
});
const cache = createObjectCache();
const stop = new AbortController();
const timeline: TimelineDraft[] = [];
const deps = { client, cache, clock: systemClock, log: silentLog };
void runInformer(serverBinding, { ...deps, random: () => 0.5 }, () => {}, stop.signal);
const identity = await loadLinkIdentity(client);
const link = await startLink(
  {
    mode: 'auto',
    listenPort: 51_821,
    tunnel: 'auto' as const,
    advertise: () => [{ host }],
    negativeAddressFilter: ['10.250.0.0/16'],
    stateDir,
  },
  {
    ...deps,
    identity,
    random: (length) => randomBytes(length),
    events: { record() {} },
    timeline: { record: (draft) => timeline.push(draft) },
  },
);
const http = createServer();
http.on('stream', createGrpcHandler([link.provision, link.tunnel], deps));
await new Promise<void>((resolve) => http.listen(wantedPort, host, resolve));
const { port } = http.address() as AddressInfo;
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
say({ port, status: link.status(), serverAddress: identity.serverAddress });
for await (const line of createInterface(process.stdin)) {
  const { ask, name } = JSON.parse(line);
  if (ask === 'binding') say(await client.get(serverBinding, { name }));
  else if (ask === 'timeline') say(timeline.map((entry) => entry.event));
  else if (ask === 'status') say(link.status());
  else if (ask === 'peers') say(link.view.peers());
  else if (ask === 'tunnels') say(link.view.metrics().tunnels);
  else if (ask === 'save') {
    const { items } = await client.list(serverBinding);
    writeFileSync(
      file,
      JSON.stringify({
        bindings: items,
        secret: await client.get(secret, { name: 'siderolink', namespace: 'default' }),
      }),
    );
    say({});
  } else if (ask === 'delete') {
    await client.delete(serverBinding, { name });
    say({});
  } else if (ask === 'stop') break;
}
stop.abort();
await link[Symbol.asyncDispose]();
say('stopped');
process.exit(0);

/** A folder with all programs but one. */
function pathWithout(program: string, dir: string): string {
  const folder = join(dir, 'bin');
  mkdirSync(folder, { recursive: true });
  for (const from of (process.env['PATH'] ?? '').split(':').filter(existsSync)) {
    for (const name of readdirSync(from)) {
      if (name !== program && !existsSync(join(folder, name))) symlinkSync(join(from, name), join(folder, name));
    }
  }
  return folder;
}
