import { compileLabelSelector, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { records, text, texts } from '../json-parts.ts';
import { readClientConfig, type WebhookClientConfig } from './client-config.ts';

/** What a webhook wants to be asked about. */
export interface AdmissionRule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

type Labels = { readonly [name: string]: string };

/** One webhook of a configuration, ready to be matched. */
export interface AdmissionWebhook {
  /** Of the configuration, its name and the place in it: tells webhooks of one name apart. */
  readonly key: string;
  readonly name: string;
  readonly config: WebhookClientConfig;
  readonly rules: readonly AdmissionRule[];
  readonly ignoresFailure: boolean;
  /** Other versions of the same resource match too; the object is converted for the webhook. */
  readonly matchesEquivalent: boolean;
  readonly selectsNamespace: (labels: Labels | undefined) => boolean;
  readonly selectsAllNamespaces: boolean;
  readonly selectsObject: (labels: Labels | undefined) => boolean;
  readonly selectsAllObjects: boolean;
  readonly sideEffects: string;
  readonly timeoutSeconds: number;
  readonly reviewVersion: 'v1' | 'v1beta1';
  readonly reinvoked: boolean;
  readonly conditions: readonly MatchCondition[];
}

/** A CEL expression that must hold for a webhook to be asked. */
export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** The webhooks of a configuration that passed validation, in its order. */
export function webhooksOf(configuration: ApiObject): readonly AdmissionWebhook[] {
  return records(configuration['webhooks']).flatMap((webhook, i) => {
    const config = readClientConfig(webhook['clientConfig']);
    return config === undefined ? [] : [webhookOf(`${configuration.metadata.name}/${i}`, webhook, config)];
  });
}

function webhookOf(key: string, webhook: JsonObject, config: WebhookClientConfig): AdmissionWebhook {
  const namespaces = selectorOf(webhook['namespaceSelector']);
  const objects = selectorOf(webhook['objectSelector']);
  const timeout = webhook['timeoutSeconds'];
  return {
    key,
    name: text(webhook['name']),
    config,
    rules: records(webhook['rules']).map(ruleOf),
    ignoresFailure: webhook['failurePolicy'] === 'Ignore',
    matchesEquivalent: webhook['matchPolicy'] !== 'Exact',
    selectsNamespace: namespaces.matches,
    selectsAllNamespaces: namespaces.all,
    selectsObject: objects.matches,
    selectsAllObjects: objects.all,
    sideEffects: text(webhook['sideEffects']),
    timeoutSeconds: typeof timeout === 'number' ? timeout : 10,
    // The first in the webhook's order that is spoken here.
    reviewVersion: texts(webhook['admissionReviewVersions']).find((v) => v === 'v1' || v === 'v1beta1') ?? 'v1',
    reinvoked: webhook['reinvocationPolicy'] === 'IfNeeded',
    conditions: records(webhook['matchConditions']).map((c) => ({
      name: text(c['name']),
      expression: text(c['expression']),
    })),
  };
}

function ruleOf(rule: JsonObject): AdmissionRule {
  return {
    operations: texts(rule['operations']),
    apiGroups: texts(rule['apiGroups']),
    apiVersions: texts(rule['apiVersions']),
    resources: texts(rule['resources']),
    scope: text(rule['scope']) || '*',
  };
}

function selectorOf(value: Json | undefined): {
  readonly all: boolean;
  readonly matches: (labels: Labels | undefined) => boolean;
} {
  const selector = isJsonObject(value) ? value : {};
  const pairs = isJsonObject(selector['matchLabels']) ? Object.entries(selector['matchLabels']) : [];
  const expressions = records(selector['matchExpressions']);
  const compiled = compileLabelSelector({
    matchLabels: Object.fromEntries(pairs.map(([key, label]) => [key, text(label)])),
    matchExpressions: expressions.map((e) => ({
      key: text(e['key']),
      operator: text(e['operator']),
      values: texts(e['values']),
    })),
  });
  const all = pairs.length === 0 && expressions.length === 0;
  // What did not pass validation cannot be stored; if it ever is, the webhook is asked rather than passed over.
  return { all, matches: compiled.ok ? compiled.matches : () => true };
}
