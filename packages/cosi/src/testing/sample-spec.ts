import type { Field, Fields } from '../spec/field.ts';

/** Values that differ from one number to the next, all of them set: what a codec must not confuse. */
export function sampleSpec(fields: Fields, number: number): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).map(([name, field], i) => [name, sample(field, number + i)]));
}

function sample(field: Field, number: number): unknown {
  switch (field.kind) {
    case 'text':
      return `text-${number}`;
    case 'bool':
      return true;
    case 'uint':
    case 'int':
      return 1 + (number % 100);
    case 'bytes':
      return Uint8Array.of(1 + (number % 200), 0, 255);
    case 'mac':
      return `00:16:3e:00:00:${(number % 256).toString(16).padStart(2, '0')}`;
    case 'ip':
      return number % 2 === 0 ? `10.0.0.${1 + (number % 200)}` : `fd00::${1 + (number % 200)}`;
    case 'prefix':
      return number % 2 === 0 ? `10.0.${number % 200}.0/24` : `fd00:${1 + (number % 200)}::/64`;
    case 'ipPort':
      return number % 2 === 0 ? `10.0.0.1:${53 + number}` : `[fd00::1]:${53 + number}`;
    case 'url':
      return `https://example.org:${8000 + number}/path?query=${number}`;
    case 'duration':
      return 90_500 + number;
    case 'time':
      return 1_700_000_000_000 + number;
    case 'enumeration':
      return nth(Object.keys(field.names), number);
    case 'flags':
      return nth(Object.values(field.names), number) | nth(Object.values(field.names), number + 1);
    case 'optional':
      return sample(field.of, number);
    case 'list':
      return [sample(field.of, number), sample(field.of, number + 1)];
    case 'map':
      return { [`key-${number}`]: sample(field.value, number), another: sample(field.value, number + 1) };
    case 'message':
      return sampleSpec(field.fields, number);
  }
}

function nth<T>(items: readonly T[], number: number): T {
  const item = items[number % items.length];
  if (item === undefined) throw new Error('a table of names is empty');
  return item;
}
