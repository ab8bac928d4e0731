const PERCENT = /^(\d{1,9})%$/;

/**
 * An IntOrString as a number: `3` is 3, `"25%"` a share of `total`, rounded up or down.
 * @returns undefined when the text is neither (also `"3"`, which Kubernetes refuses here).
 */
export function scaledValue(value: number | string, total: number, round: 'up' | 'down'): number | undefined {
  if (typeof value === 'number') return value;
  const percent = PERCENT.exec(value)?.[1];
  if (percent === undefined) return undefined;
  const share = (Number(percent) * total) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}
