/**
 * Endpoints in wire order from preference order, and back: the first and the last are swapped, because old clients read
 * the repeated field as a single one and take its last element.
 *
 * @see spec/siderolink.md section 2
 */
export function swapEndpoints(endpoints: readonly string[]): string[] {
  const out = [...endpoints];
  const first = out[0];
  const last = out.at(-1);
  if (first === undefined || last === undefined) return out;
  out[0] = last;
  out[out.length - 1] = first;
  return out;
}
