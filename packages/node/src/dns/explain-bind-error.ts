import { hostPort, type Listen } from '@bloomery/ports';
import { portOwner } from './port-owner.ts';

/** What keeps a listener from an address: what was tried, on what, and why not, with who has the port where that can be seen. */
export async function explainBindError(
  proc: string,
  { transport, listen, error }: { readonly transport: 'udp' | 'tcp'; readonly listen: Listen; readonly error: unknown },
): Promise<string> {
  const where = `${transport} ${hostPort(listen)}`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'EADDRINUSE') {
    const owner = await portOwner(proc, transport, listen);
    return `${where} is taken${owner === undefined ? '' : ` by ${owner}`}`;
  }
  if (code === 'EADDRNOTAVAIL') return `${where}: this host does not have the address`;
  if (code === 'EACCES' || code === 'EPERM') return `${where}: not permitted; ports below 1024 need root`;
  return `${where}: ${error instanceof Error ? error.message : String(error)}`;
}
