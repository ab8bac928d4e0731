import { type NetlinkBytes, netlinkTruncated } from './netlink-bytes.ts';
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from './netlink-message.ts';
import { NetlinkWriter } from './netlink-writer.ts';

/** Behind the head of each message of generic netlink. */
export const GENL_HEAD = 4;
/** The family that knows the others. */
export const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
const CTRL_ATTR_MCAST_GROUPS = 7;

/** A family of generic netlink. Its numbers are given out at boot. */
export interface GenlFamily {
  readonly id: number;
  readonly groups: ReadonlyMap<string, number>;
}

/** A request of a family. */
export interface GenlRequest {
  readonly family: number;
  readonly command: number;
  readonly version?: number;
  readonly dump?: boolean;
}

/** Begin a request: attributes follow. */
export function startGenl({ family, command, version = 1, dump = false }: GenlRequest): NetlinkWriter {
  const flags = NLM_F_REQUEST | (dump ? NLM_F_DUMP : NLM_F_ACK);
  return new NetlinkWriter({ type: family, flags }).fixed([8, command], [8, version], [16, 0]);
}

/** Ask for a family by its name: `ethtool`. */
export function encodeFamilyRequest(name: string): Uint8Array {
  return startGenl({ family: GENL_ID_CTRL, command: CTRL_CMD_GETFAMILY }).text(CTRL_ATTR_FAMILY_NAME, name).finish();
}

/** The command of a message, and where its attributes begin. @throws BloomeryError BLM_WIRE_TRUNCATED */
export function genlCommand(bytes: NetlinkBytes, from: number, to: number): number {
  if (to - from < GENL_HEAD) throw netlinkTruncated('a message of generic netlink');
  return bytes.u8(from, to);
}

/** Read the answer to `encodeFamilyRequest`. @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED */
export function decodeFamily(bytes: NetlinkBytes, from: number, to: number): GenlFamily {
  let id = 0;
  const groups = new Map<string, number>();
  genlCommand(bytes, from, to);
  bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
    if (type === CTRL_ATTR_FAMILY_ID) id = bytes.u16(start, end);
    else if (type === CTRL_ATTR_MCAST_GROUPS)
      bytes.attributes(start, end, (_, at, until) => {
        let name = '';
        let group = 0;
        bytes.attributes(at, until, (kind, first, last) => {
          if (kind === 1) name = bytes.text(first, last);
          else if (kind === 2) group = bytes.u32(first, last);
        });
        groups.set(name, group);
      });
  });
  return { id, groups };
}
