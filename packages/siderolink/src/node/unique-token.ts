import type { RandomBytes } from '@bloomery/ports';
import type { UniqueTokenStore } from './node-options.ts';

const TOKEN_BYTES = 32;

/**
 * The unique token of this machine: the one it remembers, else the configured one, else a new one, which is written before it
 * is used. Without a store the configured one, or none.
 *
 * @throws the store's error: an unwritten token must not be used, the server would bind the machine to it.
 */
export async function rememberedToken(
  configured: string | undefined,
  store: UniqueTokenStore | undefined,
  random: RandomBytes,
): Promise<string> {
  const remembered = await store?.load();
  if (remembered !== undefined && remembered !== '') return remembered;
  if (store === undefined || (configured !== undefined && configured !== '')) return configured ?? '';
  const made = Buffer.from(random(TOKEN_BYTES)).toString('base64url');
  await store.save(made);
  return made;
}
