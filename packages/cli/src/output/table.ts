const GAP = '   ';

/** A table with a heading, columns as wide as their widest cell, no blanks at the ends of lines. */
export function tableText(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  withHeading = true,
): string {
  const lines = withHeading ? [heading, ...rows] : rows;
  const widths = heading.map((_, column) => Math.max(...[heading, ...rows].map((line) => (line[column] ?? '').length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join(GAP)
          .trimEnd()}\n`,
    )
    .join('');
}
