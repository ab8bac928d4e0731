import { isJsonObject, type Json } from '@bloomery/model';
import type { ConversionWebhook } from '../registry/resource.ts';
import { readClientConfig } from './client-config.ts';

/** The webhook of a CustomResourceDefinition's `spec.conversion`; undefined for strategy None. */
export function conversionWebhookOf(conversion: Json | undefined): ConversionWebhook | undefined {
  if (!isJsonObject(conversion) || conversion['strategy'] !== 'Webhook') return undefined;
  const webhook = isJsonObject(conversion['webhook']) ? conversion['webhook'] : {};
  const config = readClientConfig(webhook['clientConfig']);
  if (config === undefined) return undefined;
  const { conversionReviewVersions: versions } = webhook;
  const speaks = Array.isArray(versions) ? versions : [];
  return { config, reviewVersion: speaks.find((v) => v === 'v1' || v === 'v1beta1') ?? 'v1' };
}
