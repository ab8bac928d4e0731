import { isJsonObject } from '@bloomery/model';
import { type Clock, isBloomeryError, type Logger } from '@bloomery/ports';
import type { ApiObject } from '../../api-object.ts';
import { createKeyedWork } from '../../controllers/keyed-work.ts';
import type { Writer } from '../../pipeline/writer.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Store } from '../../store/store.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

const TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';
const MANAGER = 'bloomery-token-controller';

export interface TokenSecretsDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly accountTokens: ServiceAccountTokens;
  /** Certificate of the authority that clients check this API with, PEM. */
  readonly authorityPem: () => string;
}

/**
 * Fills Secrets of type kubernetes.io/service-account-token: `token`, `ca.crt`, `namespace`. A Secret goes with its service
 * account, and one for an account that is not there, or was made again since, goes at once, as upstream.
 */
export function startTokenSecrets(deps: TokenSecretsDeps): {
  readonly idle: () => Promise<void>;
  readonly stop: () => void;
} {
  const { store, registry, writer, accountTokens, authorityPem } = deps;
  const work = createKeyedWork(deps.log, deps.clock);

  async function visit(namespace: string, name: string): Promise<void> {
    const secret = store.head({ resource: 'secrets', namespace, name });
    if (secret === undefined || !isTokenSecret(secret) || secret.metadata.deletionTimestamp !== undefined) return;
    const annotations = secret.metadata.annotations ?? {};
    const accountName = annotations[ACCOUNT_NAME] ?? '';
    const account = store.head({ resource: 'serviceaccounts', namespace, name: accountName });
    const resource = registry.byId('secrets');
    if (resource === undefined) return;
    const about = { resource, version: resource.storage, namespace, dryRun: false } as const;
    const known = annotations[ACCOUNT_UID];
    if (account === undefined || (known !== undefined && known !== account.metadata.uid)) {
      await ignoringGone(writer.delete({ ...about, name, uid: secret.metadata.uid }));
      return;
    }
    const { uid = '' } = account.metadata;
    const data = isJsonObject(secret['data']) ? secret['data'] : {};
    const wanted = {
      'ca.crt': base64(authorityPem()),
      namespace: base64(namespace),
      token: data['token'] ?? base64(accountTokens.issueForSecret(namespace, { name: accountName, uid }, name)),
    };
    if (known === uid && Object.entries(wanted).every(([key, value]) => data[key] === value)) return;
    const body = { metadata: { uid: secret.metadata.uid, annotations: { [ACCOUNT_UID]: uid } }, data: wanted };
    const request = { ...about, manager: MANAGER, fieldValidation: 'Ignore' } as const;
    await ignoringGone(writer.patch(request, name, { type: 'merge', body }));
  }

  const add = (namespace: string, name: string): void =>
    work.add(`secrets/${namespace}/${name}`, () => visit(namespace, name));
  const addAll = (namespace?: string): void => {
    for (const { metadata } of store.list('secrets', namespace).filter(isTokenSecret))
      add(metadata.namespace ?? '', metadata.name);
  };
  const unsubscribe = store.subscribe((changes) => {
    for (const { id, type, object } of changes) {
      if (id.resource === 'secrets' && type === 'put' && isTokenSecret(object)) add(id.namespace, id.name);
      else if (id.resource === 'serviceaccounts' && type === 'delete') addAll(id.namespace);
    }
  });
  addAll();
  return {
    idle: () => work.idle(),
    stop() {
      unsubscribe();
      work.stop();
    },
  };
}

function isTokenSecret(object: ApiObject): boolean {
  return object['type'] === TYPE;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function ignoringGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
}
