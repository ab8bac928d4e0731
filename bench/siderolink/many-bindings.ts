import { generateKeyPairSync } from 'node:crypto';
import type { RemoteClient } from '@bloomery/kube';
import { serverBinding } from '@bloomery/model';

const WRITERS = 16;

/** UUID of the machine with this number, as test/peers/siderolink-node has them. */
export function benchUuid(index: number): string {
  return `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

/** Allocate machines; with a link prefix (`fd…:`) they have their address and a key already. */
export async function makeBindings(
  client: RemoteClient,
  range: { readonly first: number; readonly count: number },
  linkPrefix?: string,
): Promise<void> {
  let next = range.first;
  const writer = async (): Promise<void> => {
    while (next < range.first + range.count) {
      const index = next++;
      const siderolink = linkPrefix === undefined ? {} : { siderolink: linkOf(index, linkPrefix) };
      await client.create(serverBinding, {
        apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
        kind: 'ServerBinding',
        metadata: { name: benchUuid(index) },
        spec: { metalMachineRef: { name: `machine-${index}`, namespace: 'default' }, ...siderolink },
      });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

function linkOf(index: number, prefix: string): { readonly address: string; readonly publicKey: string } {
  const { publicKey } = generateKeyPairSync('x25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const host = [1, 0, index >> 16, index & 0xffff].map((part) => (part + 0x100).toString(16)).join(':');
  return { address: `${prefix}${host}/64`, publicKey: raw.toString('base64') };
}
