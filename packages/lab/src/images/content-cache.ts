import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Files and folders named by what they are made of: made once, then found again. */
export interface ContentCache {
  readonly dir: string;
  /**
   * The path of the thing called `name` for these ingredients. When it is not there, `make` fills a temporary path,
   * which is then renamed into place, so that an interrupted run leaves nothing half made.
   */
  ensure(
    name: string,
    ingredients: readonly (string | Uint8Array)[],
    make: (path: string) => Promise<void>,
  ): Promise<string>;
}

/** A cache below `dir`, which is created. */
export function createContentCache(dir: string): ContentCache {
  mkdirSync(dir, { recursive: true });
  return {
    dir,
    ensure: async (name, ingredients, make) => {
      const path = join(dir, `${name}-${digest(ingredients)}`);
      if (existsSync(path)) return path;
      const draft = `${path}.draft-${process.pid}`;
      rmSync(draft, { recursive: true, force: true });
      await make(draft);
      renameSync(draft, path);
      return path;
    },
  };
}

/** A short name for content. */
function digest(ingredients: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of ingredients) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}
