/** `instant/main.ts --kubeconfig F [--contract v1beta2] [--step-delay-ms N]`: instant machines beside any management cluster. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createRemoteClient, loadKubeconfig } from '@bloomery/kube';
import { type LogFields, type Logger, systemClock } from '@bloomery/ports';
import { startInstantMachines } from './start-instant-machines.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    contract: { type: 'string', default: 'v1beta1' },
    'step-delay-ms': { type: 'string', default: '0' },
  },
});
if (values.kubeconfig === undefined) throw new Error('--kubeconfig FILE is needed');

const client = createRemoteClient(await loadKubeconfig(values.kubeconfig));
const machines = await startInstantMachines(
  { contract: values.contract === 'v1beta2' ? 'v1beta2' : 'v1beta1', stepDelayMs: Number(values['step-delay-ms']) },
  { client, clock: systemClock, log: logTo(process.stderr), random: randomBytes },
);
process.stdout.write('instant machines: ready\n');
// The clock's timers alone do not keep the process alive.
const alive = setInterval(() => {}, 60_000);
await new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
});
clearInterval(alive);
await machines[Symbol.asyncDispose]();
await client[Symbol.asyncDispose]();

function logTo(stream: NodeJS.WritableStream, more: LogFields = {}): Logger {
  const write = (level: string) => (event: string, fields?: LogFields) => {
    stream.write(`${JSON.stringify({ level, event, ...more, ...fields })}\n`);
  };
  return {
    debug: () => {},
    info: () => {},
    warn: write('warn'),
    error: write('error'),
    with: (fields) => logTo(stream, { ...more, ...fields }),
  };
}
