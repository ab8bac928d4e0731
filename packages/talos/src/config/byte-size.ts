const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const SUFFIX = /^([0-9][0-9.,]*)\s*([a-zA-Z]*)$/;
const POWERS = ['', 'k', 'm', 'g', 't', 'p', 'e'];
const MAX_CHARACTERS = 64;

/** Read a size: a number of bytes, or with a unit (`10GB` decimal, `1GiB` binary; case and a space do not matter). undefined when it is none. */
export function parseByteSize(text: string): bigint | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const match = SUFFIX.exec(text.trim());
  if (match === null) return undefined;
  const number = Number((match[1] ?? '').replaceAll(',', ''));
  const unit = (match[2] ?? '').toLowerCase();
  const base = unit.includes('i') ? 1024 : 1000;
  const power = POWERS.indexOf(unit.replace(/i?b?$/, ''));
  if (power < 0 || !Number.isFinite(number) || unit === 'i' || unit === 'ib') return undefined;
  const size = number * base ** power;
  return size < 2 ** 64 ? BigInt(Math.floor(size)) : undefined;
}

/** As Talos writes disk sizes: human (`10 GB`, `1.5 GB`) where that is exact, else the bytes. */
export function formatByteSize(size: bigint): string | bigint {
  const human = humanSize(size);
  return size >= 1000n && size % 1000n === 0n && parseByteSize(human) === size ? human : size;
}

function humanSize(size: bigint): string {
  let value = Number(size);
  let power = 0;
  while (value >= 1000 && power < DECIMAL.length - 1) {
    value /= 1000;
    power++;
  }
  const rounded = Math.floor(value * 10 + 0.5) / 10;
  return `${rounded < 10 ? rounded.toFixed(1) : rounded.toFixed(0)} ${DECIMAL[power] ?? 'B'}`;
}
