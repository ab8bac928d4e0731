import { type Asset, type AssetCache, memoryAsset } from './asset-cache.ts';
import { cleanPath, resolveInside } from './clean-path.ts';
import type { Loaders } from './loaders.ts';

/** The files that firmware and loaders ask for, the same over TFTP and under `/tftp/`. */
export interface BootFiles {
  /** @param path as it came from the network; undefined when there is no such file */
  open(path: string): Promise<Asset | undefined>;
}

/** What stands behind BootFiles. */
export interface BootFilesDeps {
  readonly loaders: Loaders;
  readonly chainScript: string;
  /** Folder of the operator's own files (Raspberry Pi firmware, …). It may be missing. */
  readonly folder: string;
  readonly cache: AssetCache;
}

/** Some firmware puts its serial number or hardware address before every path. */
const MACHINE_FOLDER = /^(?:[0-9a-f]{8}|(?:[0-9a-f]{2}-){5}[0-9a-f]{2})$/i;

/**
 * The operator's folder first, then the loaders and `autoexec.ipxe` under any folder prefix: firmware asks for them in the
 * folder from which it was loaded.
 */
export function createBootFiles({ loaders, chainScript, folder, cache }: BootFilesDeps): BootFiles {
  const script = memoryAsset(Buffer.from(chainScript), '"chain-script"');
  return {
    open: async (path) => {
      const parts = cleanPath(path);
      const own = await openInside(cache, folder, parts);
      if (own !== undefined) return own;
      const name = parts.at(-1) ?? '';
      const loader = loaders.get(name);
      if (loader !== undefined) return memoryAsset(loader.bytes, loader.etag);
      if (name === 'autoexec.ipxe' || name === 'boot.ipxe') return script;
      if (parts.length < 2 || !MACHINE_FOLDER.test(parts[0] ?? '')) return undefined;
      return await openInside(cache, folder, parts.slice(1));
    },
  };
}

async function openInside(cache: AssetCache, root: string, parts: readonly string[]): Promise<Asset | undefined> {
  const path = await resolveInside(root, parts);
  return path === undefined ? undefined : await cache.open(path);
}
