import { findObject, type ObjectClient } from '@bloomery/kube';
import { LABELS, type Secret, secret } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { type LinkIdentity, linkIdentity, newLinkSecretData } from '@bloomery/siderolink';

const KEY = { name: 'siderolink', namespace: 'default' };

/**
 * The identity of this installation out of the Secret `default/siderolink`, which is made when it is not there.
 * Load it before anything is served: kernel arguments need the address.
 *
 * @throws BloomeryError BLM_LINK_SECRET_INVALID when the Secret is damaged: the start must end then, with nothing written.
 */
export async function loadLinkIdentity(client: ObjectClient): Promise<LinkIdentity> {
  const found = (await findObject(client, secret, KEY)) ?? (await createSecret(client));
  return linkIdentity(found.data ?? {});
}

async function createSecret(client: ObjectClient): Promise<Secret> {
  try {
    return await client.create(secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...KEY, labels: { [LABELS.move]: '' } },
      type: 'Opaque',
      data: newLinkSecretData(),
    });
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) return client.get(secret, KEY);
    throw error;
  }
}
