/** Whether a tag such as `v1.7.3` is known to be older than this major and minor version. Texts that cannot be read are not. */
export function isOlderTalos(version: string | undefined, [major, minor]: readonly [number, number]): boolean {
  const found = /^v?(\d{1,4})\.(\d{1,4})(?:[.+-]|$)/.exec(version?.slice(0, 64) ?? '');
  if (found === null) return false;
  const [ofMajor, ofMinor] = [Number(found[1]), Number(found[2])];
  return ofMajor < major || (ofMajor === major && ofMinor < minor);
}
