import type { ObjectClient } from '@bloomery/kube';
import type { KubeObject, Machine, MachineHealthCheck } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { Wait } from '../../allocation/wait.ts';
import { cloneTemplate } from '../contract/clone-template.ts';
import { type ProviderKinds, readProviderObject } from '../contract/provider-object.ts';

interface Deps {
  readonly kinds: ProviderKinds;
  readonly client: ObjectClient;
}

/**
 * Ask an external remediation to mend a Machine: an object made from spec.remediationTemplate, named like the Machine and owned
 * by it. Returns what is waited for when the template is not there.
 */
export async function requestRemediation(
  { kinds, client }: Deps,
  check: MachineHealthCheck,
  machine: Machine,
): Promise<Wait | undefined> {
  const ref = check.spec?.remediationTemplate;
  if (ref === undefined) return undefined;
  const { name, namespace = 'default', uid = '' } = machine.metadata;
  // Followed from now on, so that its coming is seen.
  await readProviderObject({ ...kinds, client }, ref, namespace);
  const owner = { apiVersion: machine.apiVersion, kind: machine.kind, name, uid };
  try {
    await cloneTemplate(
      { client, resolver: kinds.resolver },
      { ref, namespace, name, clusterName: machine.spec?.clusterName ?? '', owner },
    );
    return undefined;
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_TEMPLATE_MISSING')) throw error;
    return { reason: 'WaitingForTemplate', message: error.message };
  }
}

/** Withdraw the request for a Machine that is healthy again. */
export async function withdrawRemediation(
  { kinds, client }: Deps,
  check: MachineHealthCheck,
  { metadata }: Machine,
): Promise<void> {
  const ref = check.spec?.remediationTemplate;
  if (ref?.kind?.endsWith('Template') !== true) return;
  const { namespace = 'default', name } = metadata;
  const wanted = { ...ref, kind: ref.kind.slice(0, -'Template'.length), name, namespace };
  const request = await readProviderObject({ ...kinds, client }, wanted, namespace);
  if (request?.kind === undefined || request.object === undefined) return;
  if (request.object.metadata.deletionTimestamp !== undefined) return;
  if (!isOwnedBy(request.object, metadata.uid)) return;
  await client.delete<KubeObject>(request.kind, request.key);
}

function isOwnedBy({ metadata }: KubeObject, uid: string | undefined): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
}
