import { workerData } from 'node:worker_threads';
import { DatagramThread } from './datagram-thread.ts';
import { loadLibc } from './libc.ts';
import type { ThreadStart } from './thread-messages.ts';

const start: ThreadStart = workerData;
new DatagramThread(loadLibc(), start).run();
start.port.close();
