import { chmodSync, renameSync, writeFileSync } from 'node:fs';

/** Write a file of mode 0600 whole or not at all: readers see the old text or the new one. */
export function writePrivateFile(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text, { mode: 0o600, flush: true });
  chmodSync(`${file}.tmp`, 0o600);
  renameSync(`${file}.tmp`, file);
}
