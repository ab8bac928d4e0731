import type { KindDefinition } from '@bloomery/model';
import { errorText, type RandomBytes } from '@bloomery/ports';
import { type ApiObject, deepFreeze } from '../api-object.ts';
import { freshUid } from '../pipeline/fresh-name.ts';
import {
  asRead,
  type ConversionWebhook,
  isPrepared,
  needsWebhook,
  prunedAs,
  type Resource,
  rememberVersion,
} from '../registry/resource.ts';
import { conversionFailure, conversionReview, conversionSubject, readConversion } from './conversion-review.ts';
import { type Conversions, ownConversions } from './conversions.ts';
import type { WebhookClient } from './webhook-client.ts';

/** As kube-apiserver gives it. */
const TIMEOUT_SECONDS = 30;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
/** Objects in one question: a longer list takes several, one after the other. */
const MAX_OBJECTS = 500;

/**
 * Conversions that ask the webhooks of CustomResourceDefinitions where there are any. A stored object is asked about once per
 * version, also when several readers want it at the same time.
 */
export function createConversions(client: Pick<WebhookClient, 'ask'>, random: RandomBytes): Conversions {
  const asking = new WeakMap<ApiObject, Map<KindDefinition, Promise<void>>>();

  async function ask(
    webhook: ConversionWebhook,
    objects: readonly ApiObject[],
    version: KindDefinition,
  ): Promise<readonly ApiObject[]> {
    const [first] = objects;
    if (first === undefined) return [];
    const { config, reviewVersion } = webhook;
    const uid = freshUid(random);
    const body = conversionReview(reviewVersion, uid, objects, version);
    const question = { config, body, timeoutSeconds: TIMEOUT_SECONDS, maxAnswerBytes: MAX_ANSWER_BYTES };
    const answer = await client.ask(question).catch((error: unknown) => {
      throw conversionFailure(`${conversionSubject(first)} failed: ${errorText(error)}`, error);
    });
    const converted = readConversion(answer, reviewVersion, uid, objects, version);
    return converted.map((object) => deepFreeze(prunedAs(version, object)));
  }

  /** Ask about stored objects and keep the answers. */
  async function askAll(
    resource: Resource,
    webhook: ConversionWebhook,
    objects: readonly ApiObject[],
    version: KindDefinition,
  ): Promise<void> {
    const groups = Map.groupBy(objects, (object) => object.apiVersion);
    for (const group of groups.values()) {
      for (let at = 0; at < group.length; at += MAX_OBJECTS) {
        const batch = group.slice(at, at + MAX_OBJECTS);
        const read = batch.map((object) => asRead(resource, object));
        const shown = await ask(webhook, read, version);
        for (const [i, object] of batch.entries()) rememberVersion(object, version, shown[i] ?? object);
      }
    }
  }

  function prepare(
    resource: Resource,
    objects: readonly ApiObject[],
    version: KindDefinition,
  ): Promise<void> | undefined {
    const { conversion } = resource;
    if (conversion === undefined) return undefined;
    const missing = objects.filter((object) => !isPrepared(resource, object, version));
    if (missing.length === 0) return undefined;
    const others = missing.map((object) => asking.get(object)?.get(version));
    const fresh = missing.filter((_, i) => others[i] === undefined);
    const mine = askAll(resource, conversion, fresh, version).finally(() => {
      for (const object of fresh) asking.get(object)?.delete(version);
    });
    for (const object of fresh) {
      const known = asking.get(object) ?? new Map<KindDefinition, Promise<void>>();
      asking.set(object, known.set(version, mine));
    }
    return Promise.all([mine, ...others]).then(() => undefined);
  }

  return {
    prepare,
    convert(resource, object, version) {
      const { conversion } = resource;
      if (conversion === undefined) return ownConversions.convert(resource, object, version);
      if (!needsWebhook(resource, object, version)) return object;
      return ask(conversion, [object], version).then(([shown]) => shown ?? object);
    },
  };
}
