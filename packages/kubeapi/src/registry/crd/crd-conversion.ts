import { type FieldProblem, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { items, record, text } from '../../json-parts.ts';
import { forbidden, invalid, notSupported, required } from '../../schema/index.ts';
import { clientConfigProblems } from '../../webhooks/client-config-problems.ts';
import { isLabel, LABEL_RULE } from './crd-names.ts';

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
  return clientConfigProblems(CONFIG, config);
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
