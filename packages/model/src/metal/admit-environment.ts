import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { Admission } from '../kind.ts';

const SHA512 = /^[0-9a-f]{128}$/i;

/** Checks of Environment, both versions: URLs and sums that cannot work are warned of, never refused. */
export function admitEnvironment(object: JsonObject): Admission {
  const spec = asObject(object['spec']);
  const sets = [
    ['spec', spec] as const,
    ...Object.entries(asObject(spec['architectures'])).map(
      ([arch, set]) => [`spec.architectures.${arch}`, asObject(set)] as const,
    ),
  ];
  const warnings = sets.flatMap(([path, set]) =>
    ['kernel', 'initrd'].flatMap((name) => assetWarnings(`${path}.${name}`, asObject(set[name]))),
  );
  return { problems: [], warnings };
}

function assetWarnings(path: string, asset: JsonObject): readonly string[] {
  const { url, sha512 } = asset;
  const warnings: string[] = [];
  if (typeof url === 'string' && url !== '' && !isHttpUrl(url)) {
    warnings.push(`${path}.url: ${JSON.stringify(url)} is not an http or https URL; the asset cannot be downloaded`);
  }
  if (typeof sha512 === 'string' && sha512 !== '' && !SHA512.test(sha512)) {
    warnings.push(`${path}.sha512: not 128 hexadecimal digits; the asset will not become ready`);
  }
  return warnings;
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
}
