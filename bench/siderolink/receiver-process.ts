import { dirname } from 'node:path';
import { hostPort, silentLog, systemClock } from '@bloomery/ports';
import { createLogCounts } from '../../packages/plane/src/link/logs/log-counts.ts';
import { startLogReceiver } from '../../packages/plane/src/link/logs/log-receiver.ts';
import { openLogStore } from '../../packages/plane/src/link/logs/log-store.ts';

// Our log receiver on loopback, with an annotation for everybody. The folder of its file is the argument; its address is printed.
const [file = ''] = process.argv.slice(2);
const annotation = {
  server_uuid: '6b121f82-24a8-4611-9d23-fa1a5ba564f0',
  namespace: 'default',
  metal_machine: 'management-cp-0',
  cluster: 'management',
  machine: 'management-cp-0-machine',
};
const store = openLogStore({ dir: dirname(file), clock: systemClock, log: silentLog });
const receiver = await startLogReceiver(
  { host: '127.0.0.1', port: 0 },
  { annotations: { at: () => annotation }, store, counts: createLogCounts(), clock: systemClock, log: silentLog },
);
process.stdout.write(`${hostPort(receiver.address)}\n`);
