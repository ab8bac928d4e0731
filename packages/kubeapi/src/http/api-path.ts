/** What a path under /api or /apis addresses. */
export interface ApiPath {
  readonly group: string;
  readonly version: string;
  /** '' when the path ends at the version (discovery). */
  readonly plural: string;
  /** Undefined: no namespace in the path. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** All segments behind the name; no subresource that exists has a slash. */
  readonly subresource: string | undefined;
  /** The old form `/api/v1/watch/...`: a watch, also of one object by its name. */
  readonly watch: boolean;
}

/**
 * Take apart `/api/v1/...` and `/apis/G/V/...`. The resource `namespaces` itself is cluster-scoped.
 *
 * @returns undefined for any other path.
 */
export function parseApiPath(path: string): ApiPath | undefined {
  if (!path.startsWith('/api')) return undefined;
  const parts = segmentsOf(path);
  if (parts === undefined) return undefined;
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return undefined;
  const group = isCore ? '' : parts[1];
  const version = parts[isCore ? 1 : 2];
  if (group === undefined || version === undefined) return undefined;
  const after = parts.slice(isCore ? 2 : 3);
  const watch = after[0] === 'watch' && after.length > 1;
  const tail = watch ? after.slice(1) : after;
  const isInNamespace = tail[0] === 'namespaces' && tail.length >= 3 && !isNamespaceSubresource(group, tail);
  const [plural = '', name, ...more] = isInNamespace ? tail.slice(2) : tail;
  return {
    group,
    version,
    plural,
    namespace: isInNamespace ? tail[1] : undefined,
    name,
    subresource: more.length === 0 ? undefined : more.join('/'),
    watch,
  };
}

function segmentsOf(path: string): readonly string[] | undefined {
  const parts = path.split('/').filter(Boolean);
  if (!path.includes('%')) return parts;
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function isNamespaceSubresource(group: string, tail: readonly string[]): boolean {
  return group === '' && tail.length === 3 && (tail[2] === 'status' || tail[2] === 'finalize');
}
