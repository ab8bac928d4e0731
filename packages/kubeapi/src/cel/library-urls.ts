import { EvaluationFailure } from './evaluation-failure.ts';
import type { Library } from './library.ts';
import { spendText } from './work-budget.ts';

/** A parsed address: `scheme://host/path?query`, or an absolute path. */
class CelUrl {
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;

  constructor(parts: { text: string; scheme: string; host: string; path: string; query: string }) {
    this.text = parts.text;
    this.scheme = parts.scheme;
    this.host = parts.host;
    this.path = parts.path;
    this.query = parts.query;
  }
}

/** Kubernetes' `url` and `isURL`, which take what Go's `url.ParseRequestURI` takes. */
export const urlLibrary: Library = (define, env) => {
  env.registerType('kubernetes.URL', CelUrl);
  define('isURL(string): bool', (text: string) => parseUrl(text) !== undefined);
  define('url(string): kubernetes.URL', (text: string) => {
    const url = parseUrl(text);
    if (url !== undefined) return url;
    throw new EvaluationFailure(
      `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
    );
  });
  env.registerOperator('kubernetes.URL == kubernetes.URL', (a: CelUrl, b: CelUrl) => a.text === b.text);
  define('kubernetes.URL.getScheme(): string', (url: CelUrl) => url.scheme);
  define('kubernetes.URL.getHost(): string', (url: CelUrl) => url.host);
  define('kubernetes.URL.getHostname(): string', (url: CelUrl) => hostname(url.host));
  define('kubernetes.URL.getPort(): string', (url: CelUrl) => /:(\d*)$/.exec(url.host)?.[1] ?? '');
  define('kubernetes.URL.getEscapedPath(): string', (url: CelUrl) => url.path);
  define('kubernetes.URL.getQuery(): map<string, list<string>>', (url: CelUrl) => {
    const query = new Map<string, string[]>();
    for (const [key, value] of new URLSearchParams(url.query)) query.set(key, [...(query.get(key) ?? []), value]);
    return query;
  });
};

const HOST = /^(?:[^\s/?#@[\]<>"]*|\[[0-9a-fA-F:.]+(?:%25[^\s\]]+)?\])(?::\d*)?$/;

function parseUrl(text: string): CelUrl | undefined {
  spendText(text.length);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses control characters
  if (text === '' || /[\u0000-\u001f\u007f]/.test(text)) return undefined;
  const [rest = '', query = ''] = splitOnce(text, '?');
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(rest)?.[1];
  const hier = scheme === undefined ? rest : rest.slice(scheme.length + 1);
  if (scheme === undefined && !hier.startsWith('/')) return undefined;
  if (hier.includes(' ') && scheme !== undefined && hier.startsWith('//') && hier.slice(2).split('/')[0]?.includes(' '))
    return undefined;
  if (/%(?![0-9a-fA-F]{2})/.test(hier)) return undefined;
  const authority = scheme !== undefined && hier.startsWith('//') ? (hier.slice(2).split('/')[0] ?? '') : undefined;
  const path = authority === undefined ? hier : hier.slice(2 + authority.length);
  const host = authority?.slice(authority.lastIndexOf('@') + 1) ?? '';
  if (!HOST.test(host)) return undefined;
  return new CelUrl({ text, scheme: (scheme ?? '').toLowerCase(), host, path: encodeURI(decodable(path)), query });
}

function splitOnce(text: string, by: string): readonly [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function hostname(host: string): string {
  const bare = host.replace(/:\d*$/, '');
  return bare.startsWith('[') ? bare.slice(1, -1) : bare;
}

/** Undoes the percent signs that encodeURI would encode a second time. */
function decodable(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
