import { randomBytes } from 'node:crypto';
import { createGrpcClient } from '@bloomery/grpc';
import { silentLog, systemClock } from '@bloomery/ports';
import { joinLink, machineEventId, machineEventRequest } from '@bloomery/siderolink';
import { eventsProto, machineEventsProto } from '@bloomery/wire';

// A machine's end of a link for the namespace test: joins, reports an address and the end of the installation.
const [stateDir = '', api = '', uuid = ''] = process.argv.slice(2);
const clock = systemClock;
await using link = await joinLink(
  { api, uuid, talosVersion: 'v1.10.0', mode: 'auto', stateDir },
  { clock, log: silentLog },
);
const client = createGrpcClient({ address: { host: link.serverAddress, port: 4002 }, clock });
const sink = client.service(eventsProto.EventSinkService);
const id = (): string => machineEventId(clock.nowMs(), (length) => randomBytes(length));
const address = link.nodeAddress.split('/')[0] ?? '';
await sink.publish(
  machineEventRequest(
    machineEventsProto.AddressEventSchema,
    { hostname: 'pxe-2', addresses: ['172.25.0.5', address, 'not-an-ip', '10.250.1.1', 'fe80::1'] },
    id(),
  ),
  { timeoutMs: 20_000 },
);
await sink.publish(machineEventRequest(machineEventsProto.SequenceEventSchema, { sequence: 'boot', action: 1 }, id()));
await sink.publish({
  data: { typeUrl: 'type.googleapis.com/machine.RestartEvent', value: new Uint8Array() },
  id: id(),
});
const refused = await sink.publish({ id: id() }).then(
  () => 'accepted',
  (error) => String(error.facts.status),
);
client.close();
process.stdout.write(`${JSON.stringify({ ...link, address, refused })}\n`);
