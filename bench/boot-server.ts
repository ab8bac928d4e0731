import { randomBytes } from 'node:crypto';
import { createObjectCache } from '@bloomery/kube';
import { type Environment, environment, server, serverBinding } from '@bloomery/model';
import { createBootSessions, createServerNames, memorySessionStore, startBootServices } from '@bloomery/plane';
import { silentLog, systemClock } from '@bloomery/ports';

/** Runs the boot services for the bench: `boot-server.ts DATA-DIR PORT TFTP-PORT SERVERS`. Prints a line when ready. */
const [, , dataDir = '', port = '0', tftpPort = '0', servers = '1'] = process.argv;
const cache = createObjectCache();
const uuidOf = (n: number): string => `6b121f82-24a8-4611-9d23-${n.toString(16).padStart(12, '0')}`;
const meta = (name: string): { name: string; uid: string; resourceVersion: string } => ({
  name,
  uid: name,
  resourceVersion: '1',
});
cache.replace(
  server,
  Array.from({ length: Number(servers) }, (_, n) => ({
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: meta(uuidOf(n)),
    spec: { accepted: true },
  })),
);
cache.replace(
  serverBinding,
  Array.from({ length: Number(servers) }, (_, n) => ({
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: meta(uuidOf(n)),
    spec: { metalMachineRef: {} },
  })),
);
const defaultEnvironment: Environment = {
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'Environment',
  metadata: meta('default'),
  spec: { kernel: { args: ['console=tty0', 'console=ttyS0', 'initrd=initramfs.xz', 'talos.platform=metal'] } },
};
cache.put(environment, defaultEnvironment);
const sessions = createBootSessions({ clock: systemClock, random: (n) => randomBytes(n), store: memorySessionStore });
for (let n = 0; n < Number(servers); n++) sessions.expectPowered(uuidOf(n));
await startBootServices(
  {
    listen: { host: '127.0.0.1', port: Number(port) },
    tftpListen: { host: '127.0.0.1', port: Number(tftpPort) },
    advertise: { host: '127.0.0.1' },
    dataDir,
    bootFromDiskMethod: 'ipxe-exit',
    extraAgentKernelArgs: [],
    insecureMetadata: false,
  },
  {
    cache,
    events: { record: () => {} },
    timeline: { record: () => {} },
    sessions,
    serverName: createServerNames(cache),
    linkAddress: () => 'fdae:41e4:649b:9303::1',
    routes: () => [],
    services: () => [],
    log: silentLog,
    clock: systemClock,
  },
);
process.stdout.write('ready\n');
