import { type FieldProblem, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { forbidden, invalid, notSupported, required } from '../../schema/index.ts';
import { isLabel, LABEL_RULE } from './crd-names.ts';
import { items, record, text } from './crd-parts.ts';

const REVIEWS = 'spec.conversion.conversionReviewVersions';
const CONFIG = 'spec.conversion.webhookClientConfig';

/** What is wrong with `spec.conversion`, at the paths that kube-apiserver names. */
export function conversionProblems(spec: JsonObject): readonly FieldProblem[] {
  const conversion = record(spec['conversion']);
  const strategy = text(conversion['strategy']);
  const webhook = record(conversion['webhook']);
  const config = webhook['clientConfig'];
  const reviews = items(webhook['conversionReviewVersions']);
  const problems: FieldProblem[] = [];
  if (strategy === '') problems.push(required('spec.conversion.strategy'));
  else if (strategy !== 'None' && strategy !== 'Webhook') {
    problems.push(notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook']));
  }
  if (strategy !== 'Webhook') {
    const why = 'should not be set when strategy is not set to Webhook';
    if (config !== undefined) problems.push(forbidden(CONFIG, why));
    if (reviews.length > 0) problems.push(forbidden(REVIEWS, why));
    return problems;
  }
  problems.push(...configProblems(config), ...reviewProblems(reviews));
  return problems;
}

function configProblems(config: Json | undefined): readonly FieldProblem[] {
  if (!isJsonObject(config)) return [required(CONFIG, 'required when strategy is set to Webhook')];
  const { url, service } = config;
  if ((url === undefined) === (service === undefined)) {
    return [required(CONFIG, 'exactly one of url or service is required')];
  }
  return url === undefined ? serviceProblems(record(service)) : urlProblems(text(url));
}

function urlProblems(url: string): readonly FieldProblem[] {
  const field = `${CONFIG}.url`;
  const form = 'desired format: https://host[/path]';
  if (!URL.canParse(url)) return [required(field, `url must be a valid URL: ${form}`)];
  const { protocol, host, search, hash, username } = new URL(url);
  const problems: FieldProblem[] = [];
  const scheme = protocol.slice(0, -1);
  if (scheme !== 'https') problems.push(invalid(field, scheme, `'https' is the only allowed URL scheme; ${form}`));
  if (host === '') problems.push(invalid(field, host, `host must be specified; ${form}`));
  if (username !== '') problems.push(invalid(field, username, 'user information is not permitted in the URL'));
  if (hash !== '') problems.push(invalid(field, hash.slice(1), 'fragments are not permitted in the URL'));
  if (search !== '') problems.push(invalid(field, search.slice(1), 'query parameters are not permitted in the URL'));
  return problems;
}

function serviceProblems(service: JsonObject): readonly FieldProblem[] {
  const field = `${CONFIG}.service`;
  const problems: FieldProblem[] = [];
  if (text(service['name']) === '') problems.push(required(`${field}.name`));
  if (text(service['namespace']) === '') problems.push(required(`${field}.namespace`));
  const port = service['port'] ?? 443;
  if (typeof port !== 'number' || port < 1 || port > 65535) {
    problems.push(invalid(`${field}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'));
  }
  const path = service['path'];
  if (typeof path === 'string' && path !== '/') problems.push(...pathProblems(`${field}.path`, path));
  return problems;
}

function pathProblems(field: string, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (!path.startsWith('/')) problems.push(invalid(field, path, "must start with a '/'"));
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  for (const [i, segment] of segments.entries()) {
    if (segment === '') problems.push(invalid(field, path, `segment[${i}] may not be empty`));
  }
  return problems;
}

function reviewProblems(reviews: readonly Json[]): readonly FieldProblem[] {
  if (reviews.length === 0) return [required(REVIEWS)];
  const problems: FieldProblem[] = [];
  const seen = new Set<Json>();
  for (const [i, version] of reviews.entries()) {
    const field = `${REVIEWS}[${i}]`;
    if (seen.has(version)) problems.push(invalid(field, version, 'duplicate version'));
    else if (!isLabel(text(version))) problems.push(invalid(field, version, LABEL_RULE));
    seen.add(version);
  }
  if (!seen.has('v1') && !seen.has('v1beta1')) {
    problems.push(invalid(REVIEWS, reviews, 'must include at least one of v1, v1beta1'));
  }
  return problems;
}
