import { join } from 'node:path';
import type { Rack } from '../rack/rack.ts';
import { inNamespace } from '../rack/rack-network.ts';

/** Serve a folder over HTTP on the rack's network, as a site's file server does: `http://10.77.0.2:8000/`. */
export function startSiteFiles(rack: Rack, folder: string): void {
  const { dhcpNamespace, prefix } = rack.network;
  rack.processes.start({
    what: 'site file server',
    command: inNamespace(dhcpNamespace, ['busybox', 'httpd', '-f', '-p', `${prefix}.2:8000`, '-h', folder]),
    logFile: join(rack.dir, 'site-files.log'),
  });
}
