import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { createGrpcClient, type GrpcClient } from '@bloomery/grpc';
import { silentLog, systemClock } from '@bloomery/ports';
import {
  configureLinkInterface,
  generateWireguardKey,
  startTunnelRelay,
  startWireguard,
  type TunnelRelay,
  wireguardPublicKey,
} from '@bloomery/siderolink';
import { linkProto } from '@bloomery/wire';

// A machine that asks for its address once and keeps no rules: it lets everything through to and from the server's end.
// One line of JSON on stdin asks, one on stdout answers. Its port 50000 greets who connects.
// With --tunnel its WireGuard goes through gRPC.
const [stateDir = '', host = '', port = '', uuid = '', ...flags] = process.argv.slice(2);
const clock = systemClock;
const privateKey = generateWireguardKey();
const isTunnelled = flags.includes('--tunnel');
const dialPlane = (): GrpcClient => createGrpcClient({ address: { host, port: Number(port) }, clock });
const client = dialPlane();
const grant = await client.service(linkProto.ProvisionService).provision({
  nodeUuid: uuid,
  nodePublicKey: wireguardPublicKey(privateKey),
  talosVersion: 'v1.10.0',
  ...(isTunnelled ? { wireguardOverGrpc: true } : {}),
});
client.close();
const startRelay = (): Promise<TunnelRelay> =>
  startTunnelRelay(
    { virtualAddress: grant.grpcPeerAddrPort, dial: dialPlane },
    { clock, log: silentLog, random: (length) => new Uint8Array(length) },
  );
const relay = isTunnelled ? await startRelay() : undefined;
const { device } = await startWireguard(
  { mode: 'userspace', name: 'siderolink', privateKey, listenPort: 0 },
  { stateDir, clock, log: silentLog },
);
await device.update({
  peers: [
    {
      publicKey: grant.serverPublicKey,
      remove: false,
      replaceAllowedIps: true,
      allowedIps: ['::/0', '0.0.0.0/0'],
      endpoint: relay?.endpoint ?? grant.serverEndpoint[0] ?? '',
      keepaliveSeconds: 25,
    },
  ],
});
await configureLinkInterface({ name: device.interfaceName, address: grant.nodeAddressPrefix });
createServer((socket) => socket.on('error', () => {}).end('hello')).listen(50_000, '::');

const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
/** `connected`, or why not. */
const dial = (to: string, toPort: number, timeoutMs: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host: to, port: toPort });
    const end = (how: string): void => {
      socket.destroy();
      resolve(how);
    };
    socket.once('connect', () => end('connected'));
    socket.once('error', (error) => end('code' in error ? String(error.code) : error.message));
    socket.setTimeout(timeoutMs, () => end('timeout'));
  });
/** Another relay takes the tunnel over; says how the first one ended. */
const replaceRelay = async (): Promise<string> => {
  const { endpoint } = await startRelay();
  const peer = { publicKey: grant.serverPublicKey, remove: false, replaceAllowedIps: false, allowedIps: [], endpoint };
  await device.update({ peers: [peer] });
  return (await relay?.ended)?.reason ?? 'no relay';
};
say({ address: grant.nodeAddressPrefix.split('/')[0], server: grant.serverAddress, interface: device.interfaceName });
for await (const line of createInterface(process.stdin)) {
  const { ask, to, port: toPort, timeoutMs = 1_500, deadlineMs = 0 } = JSON.parse(line);
  const startMs = clock.nowMs();
  let result = '';
  if (ask === 'replace') result = await replaceRelay();
  else
    do {
      if (ask === 'dial') result = await dial(to, toPort, Math.min(timeoutMs, deadlineMs || timeoutMs));
    } while (result !== 'connected' && clock.nowMs() - startMs < deadlineMs);
  say({ result, tookMs: clock.nowMs() - startMs });
}
