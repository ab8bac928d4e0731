/** A selector that can be used, or the text of the 400 that refuses it. */
export type ParsedSelector<T> =
  | { readonly ok: true; readonly selector: T }
  | { readonly ok: false; readonly message: string };

/** Selectors longer than this are refused: bounds parsing and matching. */
export const MAX_SELECTOR_LENGTH = 64 * 1024;
