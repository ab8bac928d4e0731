import { randomBytes } from 'node:crypto';
import { createGrpcClient } from '@bloomery/grpc';
import { silentLog, systemClock } from '@bloomery/ports';
import { startSiderolinkNode } from '@bloomery/siderolink';
import { eventsProto, machineEventsProto } from '@bloomery/wire';

// A machine's end of a link for the namespace test: joins, reports an address and the end of the installation.
const [stateDir = '', api = '', uuid = ''] = process.argv.slice(2);
const alive = setInterval(() => {}, 60_000);
const deps = { clock: systemClock, log: silentLog, random: (length: number) => randomBytes(length) };
const joined = Promise.withResolvers<string>();
{
  // The sink is on the server's address, which only the first join tells.
  await using first = startSiderolinkNode(
    { inputs: { api, uuid, talosVersion: 'v1.10.0' }, mode: 'auto', stateDir },
    deps,
  );
  first.onChanged(({ connected, serverAddress = '' }) => connected && joined.resolve(serverAddress));
  await joined.promise;
}
const serverAddress = await joined.promise;
const again = Promise.withResolvers<string>();
await using node = startSiderolinkNode(
  { inputs: { api, uuid, talosVersion: 'v1.10.0' }, mode: 'auto', stateDir, eventSink: `[${serverAddress}]:4002` },
  deps,
);
node.onChanged(({ connected, nodeAddress = '' }) => connected && again.resolve(nodeAddress));
const address = (await again.promise).split('/')[0] ?? '';
node.events.send(machineEventsProto.AddressEventSchema, {
  hostname: 'pxe-2',
  addresses: ['172.25.0.5', address, 'not-an-ip', '10.250.1.1', 'fe80::1'],
});
node.events.send(machineEventsProto.SequenceEventSchema, { sequence: 'boot', action: 1 });
node.events.send(machineEventsProto.RestartEventSchema, { cmd: 1n });
if (!(await node.events.drained(20_000))) throw new Error('the events were not taken in 20 s');
const client = createGrpcClient({ address: { host: serverAddress, port: 4002 }, clock: systemClock });
const refused = await client
  .service(eventsProto.EventSinkService)
  .publish({ id: 'c0000000000000000000' })
  .then(
    () => 'accepted',
    (error) => String(error.facts.status),
  );
client.close();
clearInterval(alive);
process.stdout.write(`${JSON.stringify({ ...node.status(), address, refused })}\n`);
