import { compileLabelSelector } from '../selector/label-selector.ts';

/** Can the text be the value of a label: at most 63 letters, digits, `-`, `_` and `.`? */
export function isLabelValue(text: string): boolean {
  return compileLabelSelector({ matchLabels: { name: text } }).ok;
}

/** The name of an object as the value of a label; names that cannot be one become `hash_…_z`, as Cluster API writes them. */
export function labelValueOf(name: string): string {
  if (isLabelValue(name)) return name;
  const hash = fnv1a32(name);
  const bytes = [hash >>> 24, (hash >>> 16) & 0xff, (hash >>> 8) & 0xff, hash & 0xff];
  const base64 = btoa(String.fromCharCode(...bytes));
  return `hash_${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}_z`;
}

/** FNV-1a, 32 bits, over the UTF-8 bytes of a text. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
