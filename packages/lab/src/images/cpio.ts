/** One entry of an initramfs archive. `path` has no leading slash. */
export type CpioEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | { readonly path: string; readonly kind: 'file'; readonly content: Uint8Array; readonly executable: boolean };

const MODES = { directory: 0o040755, link: 0o120777, file: 0o100644, executable: 0o100755 } as const;
const TRAILER = 'TRAILER!!!';

/**
 * Encode entries as a "newc" cpio archive, sorted by path, without times and owners: equal entries give equal bytes.
 * Parent directories are added where they are missing.
 *
 * @see Linux Documentation/driver-api/early-userspace/buffer-format.rst
 */
export function encodeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const all = new Map<string, CpioEntry>();
  for (const entry of entries) {
    for (const parent of parentsOf(entry.path)) {
      if (!all.has(parent)) all.set(parent, { path: parent, kind: 'directory' });
    }
    all.set(entry.path, entry);
  }
  const sorted = [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const parts = sorted.flatMap((entry, index) => encodeEntry(entry, index + 1));
  parts.push(...record({ path: TRAILER, inode: 0, mode: 0, links: 1, content: new Uint8Array(0) }));
  return Buffer.concat(parts);
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function encodeEntry(entry: CpioEntry, inode: number): Uint8Array[] {
  const { path } = entry;
  if (entry.kind === 'directory') {
    return record({ path, inode, mode: MODES.directory, links: 2, content: new Uint8Array(0) });
  }
  if (entry.kind === 'link') {
    return record({ path, inode, mode: MODES.link, links: 1, content: Buffer.from(entry.target) });
  }
  const mode = entry.executable ? MODES.executable : MODES.file;
  return record({ path, inode, mode, links: 1, content: entry.content });
}

interface CpioRecord {
  readonly path: string;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly content: Uint8Array;
}

function record({ path, inode, mode, links, content }: CpioRecord): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return [
    Buffer.from(header),
    name,
    new Uint8Array(padding(header.length + name.length)),
    content,
    new Uint8Array(padding(content.length)),
  ];
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}
