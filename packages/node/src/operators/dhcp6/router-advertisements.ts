import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@bloomery/ports';
import { writeInPlace } from '../../files/file-image.ts';
import { KeptFiles } from '../../files/kept-files.ts';
import { oneAfterTheOther } from '../../files/one-after-the-other.ts';

const OFF = '0';
const UNLESS_FORWARDING = '1';
const ALWAYS = '2';
const SETTINGS = '/proc/sys/net/ipv6/conf';

export interface RouterListenerOptions {
  /** Where `/proc` is. */
  readonly root: string;
  /** Where it is written down what was set before, so that also the next start can put it back. */
  readonly folder: string;
  readonly log: Logger;
}

/** Lets a link take router advertisements. Resolves with the function that puts it back, unless somebody else has changed it. */
export type HearRouters = (linkName: string) => Promise<() => Promise<void>>;

/**
 * Lets links take their routers and addresses from router advertisements also where the host forwards packets (as hosts of clusters do):
 * the kernel's setting for that is 2. What an administrator has set otherwise stays. IPv6 that is off stays off. What a killed run has
 * left is put back first.
 */
export function createRouterListener({ root, folder, log }: RouterListenerOptions): HearRouters {
  const kept = new KeptFiles({ root, folder, log });
  const exclusively = oneAfterTheOther();
  const trouble = (error: unknown): void => log.warn('dhcp6.acceptRa', { problem: errorText(error) });
  void exclusively(() => kept.restoreAll()).catch(trouble);
  return async (linkName) => {
    const path = join(SETTINGS, linkName, 'accept_ra');
    try {
      await exclusively(async () => {
        if (await isDeaf(join(root, SETTINGS, linkName))) await setTo(kept, path, ALWAYS);
      });
    } catch (error) {
      trouble(error);
    }
    return () => exclusively(() => kept.restoreOne(path)).catch(trouble);
  };
}

/** Whether routers are not heard because the host forwards. A link that is gone, or has no IPv6, is not. */
async function isDeaf(folder: string): Promise<boolean> {
  const read = (name: string): Promise<string> =>
    readFile(join(folder, name), 'utf8').then(
      (text) => text.trim(),
      () => OFF,
    );
  return (await read('forwarding')) !== OFF && (await read('accept_ra')) === UNLESS_FORWARDING;
}

async function setTo(kept: KeptFiles, path: string, value: string): Promise<void> {
  const content = Buffer.from(`${value}\n`);
  const image = { kind: 'file', content, mode: 0o644, uid: 0, gid: 0 } as const;
  await kept.change(path, image, (place) => writeInPlace(place, content), await kept.bootId());
}
