/** Prints the services of a cluster's control planes. `node talos-services.ts TALOSCONFIG`, within the rack's network. */
import { readFileSync } from 'node:fs';
import { systemClock } from '@bloomery/ports';
import { createTalosApi } from '@bloomery/talos';
import { readTalosconfig } from './read-talosconfig.ts';
import { textTable } from './text-table.ts';

const { endpoints, credentials } = readTalosconfig(readFileSync(process.argv[2] ?? '', 'utf8'));
await using talos = createTalosApi({ clock: systemClock });
const rows = await Promise.all(
  endpoints.map(async (address) => {
    const machine = talos.node(address, credentials);
    const [hostname, { tag }, services] = [await machine.hostname(), await machine.version(), await machine.services()];
    const members = (await machine.etcdMembers()).map((member) => member.hostname).join(' ');
    return [
      `${address}  ${hostname}, ${tag}, etcd members: ${members}`,
      ...textTable(
        services.map(({ id, state, healthy, message }) => [
          `  ${id}`,
          state,
          healthy === undefined ? '-' : healthy ? 'healthy' : 'NOT HEALTHY',
          message,
        ]),
      ),
    ];
  }),
);
console.log(rows.flat().join('\n'));
