/** What a path under /api or /apis addresses. */
export interface ApiPath {
  readonly group: string;
  readonly version: string;
  /** '' when the path ends at the version (discovery). */
  readonly plural: string;
  /** Undefined: no namespace in the path. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/**
 * Take apart `/api/v1/...` and `/apis/G/V/...`. The resource `namespaces` itself is cluster-scoped.
 *
 * @returns undefined for any other path.
 */
export function parseApiPath(path: string): ApiPath | undefined {
  let parts: string[];
  try {
    parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return undefined;
  }
  const [root, ...rest] = parts;
  if (root !== 'api' && root !== 'apis') return undefined;
  const [group, version, ...tail] = root === 'api' ? ['', ...rest] : rest;
  if (group === undefined || version === undefined) return undefined;
  const base = { group, version };
  if (tail[0] === 'namespaces' && tail.length >= 3 && !isNamespaceSubresource(group, tail)) {
    const [, namespace, plural = '', name, subresource, ...more] = tail;
    return more.length > 0 ? undefined : { ...base, plural, namespace, name, subresource };
  }
  const [plural = '', name, subresource, ...more] = tail;
  return more.length > 0 ? undefined : { ...base, plural, namespace: undefined, name, subresource };
}

function isNamespaceSubresource(group: string, tail: readonly string[]): boolean {
  return group === '' && tail.length === 3 && (tail[2] === 'status' || tail[2] === 'finalize');
}
