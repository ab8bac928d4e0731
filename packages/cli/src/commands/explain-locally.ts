import { createObjectCache } from '@bloomery/kube';
import { apiVersionOf, type Explanation, explanation } from '@bloomery/model';
import { EXPLAINED_KINDS, explainFrom, insightName } from '@bloomery/plane';
import { BloomeryError } from '@bloomery/ports';
import type { Session } from '../session.ts';
import type { FoundObject } from './insight.ts';

/** Explain an object here, from the objects alone: for managers that do not offer explanations. */
export async function explainLocally({ client, deps }: Session, { object }: FoundObject): Promise<Explanation> {
  const cache = createObjectCache();
  await Promise.all(
    EXPLAINED_KINDS.map(async (kind) => {
      try {
        cache.replace(kind, (await client.list(kind)).items);
      } catch (error) {
        if (!(error instanceof BloomeryError) || error.code !== 'BLM_API_NOT_FOUND') throw error;
      }
    }),
  );
  const findings = explainFrom(object, { cache, entries: () => [], nowMs: deps.clock.nowMs() });
  const { name, namespace } = object.metadata;
  return {
    apiVersion: apiVersionOf(explanation),
    kind: explanation.kind,
    metadata: { name: insightName(object.kind, name), namespace: namespace ?? 'default' },
    about: { kind: object.kind, name, ...(namespace === undefined ? {} : { namespace }) },
    healthy: findings.length === 0,
    findings,
  };
}
