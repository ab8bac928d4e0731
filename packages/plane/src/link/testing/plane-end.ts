import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { createGrpcHandler } from '@bloomery/grpc';
import { createMemoryClient, createObjectCache, runInformer } from '@bloomery/kube';
import { type KubeObject, serverBinding } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import type { TimelineDraft } from '../../insight/timeline.ts';
import { loadLinkIdentity } from '../link-secret.ts';
import { startLink } from '../start-link.ts';

// The server's end of a link for the namespace test: one line of JSON on stdin asks, one on stdout answers.
const [stateDir = '', host = '', ...names] = process.argv.slice(2);
const binding = (name: string): KubeObject => {
  const spec = { metalMachineRef: { name: `machine-${name}`, namespace: 'default' } };
  const metadata = { name };
  return { apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3', kind: 'ServerBinding', metadata, ...{ spec } };
};
const client = createMemoryClient({ objects: names.map((name) => ({ kind: serverBinding, object: binding(name) })) });
const cache = createObjectCache();
const stop = new AbortController();
const timeline: TimelineDraft[] = [];
const deps = { client, cache, clock: systemClock, log: silentLog };
void runInformer(serverBinding, { ...deps, random: () => 0.5 }, () => {}, stop.signal);
const identity = await loadLinkIdentity(client);
const link = await startLink(
  {
    mode: 'auto',
    listenPort: 0,
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
http.on('stream', createGrpcHandler([link.provision], deps));
await new Promise<void>((resolve) => http.listen(0, host, resolve));
const { port } = http.address() as AddressInfo;
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
say({ port, status: link.status(), serverAddress: identity.serverAddress });
for await (const line of createInterface(process.stdin)) {
  const { ask, name } = JSON.parse(line);
  if (ask === 'binding') say(await client.get(serverBinding, { name }));
  else if (ask === 'timeline') say(timeline.map((entry) => entry.event));
  else if (ask === 'stop') break;
}
stop.abort();
await link[Symbol.asyncDispose]();
say('stopped');
process.exit(0);
