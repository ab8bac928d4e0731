import { silentLog } from '@bloomery/ports';
import { startDhcpProxy } from '../dhcp-proxy.ts';

/** Runs the DHCP proxy for a test in a network namespace: `proxy-end.ts SERVER-ADDRESS`. Prints its addresses when ready. */
const [, , serverAddress = ''] = process.argv;
const proxy = await startDhcpProxy(
  {
    listen: { host: '0.0.0.0', port: 67 },
    serverAddress,
    endpoint: { host: serverAddress, port: 8081 },
    interfaceAddress: serverAddress,
  },
  { log: silentLog, onSeen: () => {} },
);
process.stdout.write(
  `${JSON.stringify({ dhcp: proxy.address !== undefined, bootServer: proxy.bootServerAddress !== undefined })}\n`,
);
