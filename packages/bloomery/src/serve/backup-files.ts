import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupFile } from '@bloomery/kubeapi';

const PKI = 'pki';

/**
 * The files beside the store that a plane needs to start as itself: the certificate authority, its certificates and tokens.
 * The store's key is not among them: a restored store gets a new one. Nor are kubeconfig (made again at each start), the timeline
 * (what was, not what is), boot sessions (of boots that are over) and downloaded assets.
 */
export function backupFiles(dataDir: string): readonly BackupFile[] {
  const entries = readdirSync(join(dataDir, PKI), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
    .map(({ name }) => ({ name: `${PKI}/${name}`, content: readFileSync(join(dataDir, PKI, name)) }));
}
