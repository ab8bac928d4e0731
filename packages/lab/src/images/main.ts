/** Builds the boot images that are not in the cache yet. Run by `make setup`. */
import { join } from 'node:path';
import { buildBootImages } from './build-images.ts';
import { bloomeryCacheDir } from './cache-dir.ts';

const images = await buildBootImages({
  cacheDir: bloomeryCacheDir(process.env),
  sourceDir: join(import.meta.dirname, '../../../..'),
  say: (line) => console.log(line),
});
console.log(`images: ${images.imagesDir}`);
