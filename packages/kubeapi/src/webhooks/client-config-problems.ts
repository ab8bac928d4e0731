import { type FieldProblem, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { text } from '../json-parts.ts';
import { invalid, required } from '../schema/index.ts';

const FORM = 'desired format: https://host[/path]';
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** What is wrong with where a webhook is said to be. `field` is the path of the clientConfig. */
export function clientConfigProblems(field: string, config: Json | undefined): readonly FieldProblem[] {
  const { url, service } = isJsonObject(config) ? config : {};
  if ((url === undefined) === (service === undefined))
    return [required(field, 'exactly one of url or service is required')];
  if (url !== undefined) return urlProblems(`${field}.url`, text(url));
  return serviceProblems(`${field}.service`, isJsonObject(service) ? service : {});
}

function urlProblems(field: string, url: string): readonly FieldProblem[] {
  // A URL object would take what follows `https:///` for the host.
  if (/^https?:\/\/(?:\/|$)/.test(url)) return [invalid(field, '', `host must be specified; ${FORM}`)];
  if (!URL.canParse(url)) return [required(field, `url must be a valid URL: ${FORM}`)];
  const { protocol, username, search, hash } = new URL(url);
  const scheme = protocol.slice(0, -1);
  const problems: FieldProblem[] = [];
  if (scheme !== 'https') problems.push(invalid(field, scheme, `'https' is the only allowed URL scheme; ${FORM}`));
  if (username !== '') problems.push(invalid(field, username, 'user information is not permitted in the URL'));
  if (hash !== '') problems.push(invalid(field, hash.slice(1), 'fragments are not permitted in the URL'));
  if (search !== '') problems.push(invalid(field, search.slice(1), 'query parameters are not permitted in the URL'));
  return problems;
}

function serviceProblems(field: string, service: JsonObject): readonly FieldProblem[] {
  const { port = 443, path } = service;
  const problems: FieldProblem[] = [];
  if (text(service['name']) === '') problems.push(required(`${field}.name`));
  if (text(service['namespace']) === '') problems.push(required(`${field}.namespace`));
  if (typeof port !== 'number' || port < 1 || port > 65535)
    problems.push(invalid(`${field}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'));
  if (typeof path === 'string' && path !== '/') problems.push(...pathProblems(`${field}.path`, path));
  return problems;
}

function pathProblems(field: string, path: string): readonly FieldProblem[] {
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  return [
    ...(path.startsWith('/') ? [] : [invalid(field, path, "must start with a '/'")]),
    ...segments.flatMap((segment, i) => {
      if (segment === '') return [invalid(field, path, `segment[${i}] may not be empty`)];
      return SUBDOMAIN.test(segment) ? [] : [invalid(field, path, `segment[${i}]: ${SUBDOMAIN_RULE}`)];
    }),
  ];
}
