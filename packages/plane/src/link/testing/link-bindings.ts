import { createHash } from 'node:crypto';
import type { ServerBinding } from '@bloomery/model';
import { wireguardPublicKey } from '@bloomery/siderolink';

/** The public key that follows from this text, so that tests can name keys. */
export function keyOf(text: string): string {
  return wireguardPublicKey(createHash('sha256').update(text).digest('base64'));
}

/** A ServerBinding as it stands in the API. */
export function linkBinding(
  name: string,
  link: { readonly address: string; readonly key: string } | undefined,
  more: {
    readonly revision?: number;
    readonly uid?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly status?: ServerBinding['status'];
  } = {},
): ServerBinding {
  return {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: {
      name,
      uid: more.uid ?? `uid-${name}`,
      ...(more.revision === undefined ? {} : { resourceVersion: String(more.revision) }),
      ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
    },
    spec: {
      metalMachineRef: { name: `machine-${name}`, namespace: 'default' },
      ...(link === undefined ? {} : { siderolink: { address: `${link.address}/64`, publicKey: link.key } }),
    },
    ...(more.status === undefined ? {} : { status: more.status }),
  };
}
