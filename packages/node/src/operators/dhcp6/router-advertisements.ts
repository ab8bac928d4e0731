import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@bloomery/ports';

const OFF = '0';
const UNLESS_FORWARDING = '1';
const ALWAYS = '2';

/**
 * Let a link take its routers and addresses from router advertisements also where the host forwards packets (as hosts of clusters do):
 * the kernel's setting for that is 2. What an administrator has set otherwise stays. IPv6 that is off stays off.
 *
 * @param root Where `/proc` is.
 * @returns Puts it back, unless somebody else has changed it.
 */
export async function hearRouters(root: string, linkName: string, log: Logger): Promise<() => Promise<void>> {
  const folder = join(root, 'proc/sys/net/ipv6/conf', linkName);
  const file = join(folder, 'accept_ra');
  const read = async (path: string): Promise<string> => (await readFile(path, 'utf8')).trim();
  try {
    const isForwarding = (await read(join(folder, 'forwarding'))) !== OFF;
    if (!isForwarding || (await read(file)) !== UNLESS_FORWARDING) return async () => {};
    await writeFile(file, ALWAYS);
    log.info('dhcp6.acceptRa', { link: linkName, value: ALWAYS });
  } catch (error) {
    log.debug('dhcp6.acceptRa', { link: linkName, problem: errorText(error) });
    return async () => {};
  }
  return async () => {
    try {
      if ((await read(file)) === ALWAYS) await writeFile(file, UNLESS_FORWARDING);
    } catch {
      // The link is gone, and its settings with it.
    }
  };
}
