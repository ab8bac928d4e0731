import { join } from 'node:path';
import type { ContentCache } from './content-cache.ts';
import { candidateVersion, unpackedPackage } from './debian-package.ts';

/** Path of Debian's etcd: one program that needs only the C library. */
export async function etcdProgram(cache: ContentCache): Promise<string> {
  const name = 'etcd-server';
  const dir = await unpackedPackage(cache, { name, version: await candidateVersion(name) });
  return join(dir, 'usr/bin/etcd');
}
