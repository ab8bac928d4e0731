import type { JsonObject, ServerBinding } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';
import { bareLinkAddress } from '@bloomery/siderolink';

/** What a machine shall have. */
export interface LinkWish {
  /** base64, canonical. */
  readonly publicKey: string;
  readonly tunnel: boolean;
  /** Hash of the unique token to bind; undefined leaves what is there. */
  readonly uniqueToken: string | undefined;
  /** Name of the join token it came with; undefined leaves what is there. */
  readonly joinToken: string | undefined;
}

/**
 * The merge patch that gives a ServerBinding what the wish says, all in one write; undefined when nothing differs. Pure.
 *
 * @param address Bare address for a binding that has none.
 */
export function planLink(have: ServerBinding, wish: LinkWish, address: string): JsonObject | undefined {
  const link = have.spec?.siderolink;
  const kept = link !== undefined && bareLinkAddress(link.address) === address ? link.address : `${address}/64`;
  const spec =
    link?.address === kept && link.publicKey === wish.publicKey
      ? undefined
      : { siderolink: { address: kept, publicKey: wish.publicKey } };
  const annotations = annotationChanges(have, wish);
  if (spec === undefined && annotations === undefined) return undefined;
  return {
    ...(annotations === undefined ? {} : { metadata: { annotations } }),
    ...(spec === undefined ? {} : { spec }),
  };
}

function annotationChanges({ metadata }: ServerBinding, wish: LinkWish): Record<string, string | null> | undefined {
  const wanted = {
    [ANNOTATIONS.siderolinkMode]: wish.tunnel ? 'tunnel' : null,
    ...(wish.uniqueToken === undefined ? {} : { [ANNOTATIONS.siderolinkUniqueToken]: wish.uniqueToken }),
    ...(wish.joinToken === undefined ? {} : { [ANNOTATIONS.siderolinkJoinToken]: wish.joinToken }),
  };
  const changes = Object.entries(wanted).filter(([key, value]) => (metadata.annotations?.[key] ?? null) !== value);
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

/** The bare address of a binding; undefined when it has none, or a text that is none. */
export function linkAddressOf(binding: ServerBinding): string | undefined {
  const text = binding.spec?.siderolink?.address;
  return text === undefined ? undefined : bareLinkAddress(text);
}
