/**
 * The first line of what a machine says of an error, for Events, waits and the timeline, cut and without what a terminal would
 * obey or what hides and turns text. Errors quote configurations, which are secret, at length; whole they stand only in the condition that is about them.
 *
 * @param max In UTF-16 units.
 */
export function quoteError(text: string, max = 200): string {
  const line =
    text
      .slice(0, 2 * max)
      .trimStart()
      .split('\n')[0] ?? '';
  return line
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .slice(0, max)
    .trim()
    .toWellFormed();
}
