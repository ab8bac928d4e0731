import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A machine with nothing but a power switch, behind the management API of `spec.managementApi`. */
export interface ManagedMachine extends AsyncDisposable {
  /** `host:port` */
  readonly endpoint: string;
  /** What it was told so far: `poweron`, `poweroff`, `reboot`, `pxeboot`. */
  readonly orders: () => readonly string[];
}

/** Start one on loopback; it is off. */
export async function startManagedMachine(): Promise<ManagedMachine> {
  const orders: string[] = [];
  let isOn = false;
  const server = createServer((request, response) => {
    const order = (request.url ?? '').slice(1);
    if (request.method === 'POST') {
      orders.push(order);
      if (order === 'poweron' || order === 'reboot') isOn = true;
      if (order === 'poweroff') isOn = false;
    }
    response.end(JSON.stringify({ PoweredOn: isOn }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `127.0.0.1:${port}`,
    orders: () => [...orders],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
