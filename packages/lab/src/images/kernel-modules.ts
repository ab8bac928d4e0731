/** What a kernel package offers: text of depmod's files. Paths in them are relative to `lib/modules/VERSION`. */
export interface ModuleIndex {
  /** modules.dep */
  readonly dependencies: string;
  /** modules.alias */
  readonly aliases: string;
}

/** Modules to pack, with indexes that name only these. */
export interface ModuleSelection {
  /** Sorted, relative to `lib/modules/VERSION`. */
  readonly paths: readonly string[];
  readonly dependencies: string;
  readonly aliases: string;
}

/**
 * Choose modules by name (`virtio_net`) with everything that they depend on.
 * Names that the kernel does not have are returned in `missing`.
 */
export function selectModules(
  index: ModuleIndex,
  names: readonly string[],
): ModuleSelection & { readonly missing: readonly string[] } {
  const lines = new Map<string, { readonly path: string; readonly needs: readonly string[] }>();
  for (const line of index.dependencies.split('\n')) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const path = line.slice(0, colon);
    lines.set(moduleName(path), {
      path,
      needs: line
        .slice(colon + 1)
        .split(' ')
        .filter(Boolean),
    });
  }
  const chosen = new Map<string, readonly string[]>();
  const missing: string[] = [];
  for (const name of names) {
    const found = lines.get(name);
    if (found === undefined) missing.push(name);
    for (const path of found === undefined ? [] : [found.path, ...found.needs]) {
      chosen.set(path, lines.get(moduleName(path))?.needs ?? []);
    }
  }
  const paths = [...chosen.keys()].sort();
  const packed = new Set(paths.map(moduleName));
  return {
    missing,
    paths,
    dependencies: paths
      .map((path) => `${path}: ${(chosen.get(path) ?? []).join(' ')}`.trimEnd())
      .join('\n')
      .concat('\n'),
    aliases: index.aliases
      .split('\n')
      .filter((line) => packed.has(line.slice(line.lastIndexOf(' ') + 1)))
      .join('\n')
      .concat('\n'),
  };
}

/** `kernel/drivers/block/virtio-blk.ko` is the module `virtio_blk`. */
function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.slice(0, file.indexOf('.')).replaceAll('-', '_');
}
