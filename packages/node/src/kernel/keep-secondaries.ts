import { errorText, type Logger } from '@bloomery/ports';
import { decodeRtnlPromotion, encodeLinkGet, encodeRtnlPromotion, RTM_NEWLINK } from '@bloomery/wire';
import { refusalErrno } from './kernel-error.ts';
import type { NetlinkSocket } from './netlink-socket.ts';

/** Acts on a link while its later IPv4 addresses take the place of an earlier one of their network that goes. */
export type KeepSecondaries = (linkIndex: number, act: () => Promise<void>) => Promise<void>;

/**
 * The kernel removes them with the first one, unless the link is told otherwise; and with the last address of a link go all its routes.
 * What the link was told before is put back. A kernel that will not be told is none the worse: the act happens all the same.
 */
export function keepSecondaries(requests: Pick<NetlinkSocket, 'request'>, log: Logger): KeepSecondaries {
  return async (linkIndex, act) => {
    const tell = (on: boolean): Promise<boolean> =>
      requests.request(`telling link ${linkIndex} how addresses of it go`, encodeRtnlPromotion(linkIndex, on)).then(
        () => true,
        (error: unknown) => {
          if (refusalErrno(error) !== 'ENODEV') log.warn('kernel.secondaries', { linkIndex, error: errorText(error) });
          return false;
        },
      );
    const isTold = (await areKept(requests, linkIndex)) || !(await tell(true));
    try {
      await act();
    } finally {
      if (!isTold) await tell(false);
    }
  };
}

async function areKept(requests: Pick<NetlinkSocket, 'request'>, linkIndex: number): Promise<boolean> {
  let kept = false;
  await requests.request(`looking at link ${linkIndex}`, encodeLinkGet(linkIndex), (bytes, { type, from, to }) => {
    if (type === RTM_NEWLINK) kept = decodeRtnlPromotion(bytes, from, to);
  });
  return kept;
}
