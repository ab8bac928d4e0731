import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Controller } from '@bloomery/cosi';
import { createHostFileKeeper, openConfigStore, SERVED_DEFINITIONS } from '@bloomery/node';
import { testEnvironment } from '@bloomery/node/testing';
import { silentLog } from '@bloomery/ports';
import { composeNode } from '../../packages/bloomery/src/node/node-parts.ts';
import { RESOURCE_NOTES } from './node-resource-notes.ts';

/** What `talosctl get` finds on a node, and who writes it: of the daemon's own controllers and definitions. */
export async function nodeResourcesPage(): Promise<string> {
  const controllers = await daemonControllers();
  const rows = SERVED_DEFINITIONS.map(({ type, namespace, aliases, sensitive }) => {
    const [name = ''] = type.split('.');
    const known = RESOURCE_NOTES[name];
    if (known === undefined) throw new Error(`node-resource-notes.ts says nothing of ${name}`);
    const names = [name.toLowerCase(), ...aliases].map((each) => `\`${each}\``).join(', ');
    const where = `${namespace}${sensitive ? ' (sensitive)' : ''}`;
    return `| ${names} | ${where} | ${known.ids} | ${known.what}${known.what.endsWith('.') ? '' : '.'} ${writersOf(type, controllers)} |`;
  });
  return `# Resources of a node

What \`talosctl get\` finds on a node that runs \`bloomery node\`: types, names and fields are those of Talos. The long names
(\`linkstatuses.net.talos.dev\`) and singulars work, too; \`talosctl get rd\` lists them all. \`bloomery node --graph\` prints which
controller reads and writes what.

Specs say what shall be, statuses what is. Specs of each source stand in namespace \`network-config\` under \`LAYER/ID\` (those of
operators under \`dhcp4/LINK/ID\`), the merged ones in \`network\` under \`ID\`. Layers, lowest first: \`default\`, \`cmdline\`,
\`platform\`, \`operator\`, \`configuration\`. What stands in the way of a merged spec is its annotation
\`bloomery.dev/problem\`: \`talosctl get addressspec -o yaml\`. It is tried again by itself.

Sensitive ones are shown to \`os:admin\` only. What the daemon finds on the host is never removed, also where the configuration names
it and later does not; what it has made is taken away when nobody asks for it any more, and at its end unless \`--leave\` is given.

| \`talosctl get\` | namespace | id | what, and who writes it |
|---|---|---|---|
${rows.join('\n')}
`;
}

function writersOf(type: string, controllers: readonly Controller[]): string {
  const writers = controllers
    .filter(({ outputs }) => outputs.some(({ definition }) => definition.type === type))
    .map(({ name }) => `\`${name}\``);
  return writers.length === 0 ? 'Nobody writes it.' : `By ${writers.toSorted().join(', ')}.`;
}

/** The controllers of a daemon that never runs. */
async function daemonControllers(): Promise<readonly Controller[]> {
  const stateDir = mkdtempSync(join(tmpdir(), 'bloomery-docs-'));
  try {
    const file = join(stateDir, 'node.yaml');
    writeFileSync(file, 'version: v1alpha1\nmachine:\n  type: worker\n');
    const environment = testEnvironment({}, { stateDir, root: stateDir });
    const store = await openConfigStore({ stateDir, log: silentLog, file }, environment.clock);
    const files = createHostFileKeeper({ root: stateDir, stateDir, enabled: false, log: silentLog });
    const uniqueToken = { load: async () => undefined, save: async () => {} };
    await using parts = await composeNode(environment, { store, files, env: {}, uniqueToken });
    store.stop();
    return [...parts.inward, ...parts.outward];
  } finally {
    rmSync(stateDir, { recursive: true });
  }
}
