import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { META_KEY, type MetaFile } from './meta-file.ts';

const PRODUCT_UUID = '/sys/class/dmi/id/product_uuid';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What firmware without a UUID of its own says. */
const EMPTY = /^(0{8}(-0{4}){3}-0{12}|f{8}(-f{4}){3}-f{12})$/i;

/** The UUID that this machine remembers, else that of its firmware, else a new one, which is remembered. */
export function machineUuid(meta: MetaFile, file = PRODUCT_UUID): string {
  const remembered = meta.get(META_KEY.uuid);
  if (remembered !== undefined && remembered !== '') return remembered;
  const ofFirmware = readText(file).trim().toLowerCase();
  if (UUID.test(ofFirmware) && !EMPTY.test(ofFirmware)) return ofFirmware;
  const made = randomUUID();
  meta.set(META_KEY.uuid, made);
  return made;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Virtual machines and containers often have no such file, and only root may read it.
    return '';
  }
}
