/** Prints the services of a cluster's control planes. `node talos-services.ts TALOSCONFIG`, within the rack's network. */
import { readFileSync } from 'node:fs';
import { systemClock } from '@bloomery/ports';
import { createTalosApi } from '@bloomery/talos';
import { readTalosconfig } from './read-talosconfig.ts';
import { textTable } from './text-table.ts';

const { endpoints, credentials } = readTalosconfig(readFileSync(process.argv[2] ?? '', 'utf8'));
await using talos = createTalosApi({ clock: systemClock });
// A machine has several addresses, and each is an endpoint.
const answers = new Map<string, string[]>();
for (const address of endpoints) {
  const machine = talos.node(address, credentials);
  const hostname = await machine.hostname();
  if (answers.has(hostname)) continue;
  const { tag } = await machine.version();
  const members = (await machine.etcdMembers()).map((member) => member.hostname).join(' ');
  const rows = (await machine.services()).map(({ id, state, healthy, message }) => [
    `  ${id}`,
    state,
    healthy === undefined ? '-' : healthy ? 'healthy' : 'NOT HEALTHY',
    message,
  ]);
  answers.set(hostname, [`${hostname} (${address}), ${tag}, etcd members: ${members}`, ...textTable(rows)]);
}
console.log([...answers.values()].flat().join('\n'));
