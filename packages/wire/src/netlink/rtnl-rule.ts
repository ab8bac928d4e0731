import { type NetlinkBytes, netlinkTruncated } from './netlink-bytes.ts';
import { NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST } from './netlink-message.ts';
import { NetlinkWriter } from './netlink-writer.ts';
import { AF_INET, AF_INET6, AF_UNSPEC, RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE } from './rtnl.ts';

/** A rule that chooses the table of routes. Texts are empty and numbers 0 for what is not there. */
export interface RtnlRule {
  readonly family: number;
  readonly priority: number;
  /** CIDR. */
  readonly source: string;
  readonly destination: string;
  readonly table: number;
  /** FR_ACT_*. */
  readonly action: number;
  readonly iifName: string;
  readonly oifName: string;
  readonly fwMark: number;
  readonly fwMask: number;
}

const FIXED = 12;
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const TABLE_COMPAT = 252;

/**
 * Read the body of RTM_NEWRULE or RTM_DELRULE.
 *
 * @returns undefined for other families than IPv4 and IPv6.
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED
 * @see linux/fib_rules.h
 */
export function decodeRtnlRule(bytes: NetlinkBytes, from: number, to: number): RtnlRule | undefined {
  if (to - from < FIXED) throw netlinkTruncated('a rule');
  const family = bytes.u8(from, to);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const destinationLength = bytes.u8(from + 1, to);
  const sourceLength = bytes.u8(from + 2, to);
  let priority = 0;
  let source = '';
  let destination = '';
  let table = bytes.u8(from + 4, to);
  let iifName = '';
  let oifName = '';
  let fwMark = 0;
  let fwMask = 0;
  bytes.attributes(from + FIXED, to, (type, start, end) => {
    if (type === FRA_DST) destination = `${bytes.ip(start, end)}/${destinationLength}`;
    else if (type === FRA_SRC) source = `${bytes.ip(start, end)}/${sourceLength}`;
    else if (type === FRA_IIFNAME) iifName = bytes.text(start, end);
    else if (type === FRA_PRIORITY) priority = bytes.u32(start, end);
    else if (type === FRA_FWMARK) fwMark = bytes.u32(start, end);
    else if (type === FRA_TABLE) table = bytes.u32(start, end);
    else if (type === FRA_FWMASK) fwMask = bytes.u32(start, end);
    else if (type === FRA_OIFNAME) oifName = bytes.text(start, end);
  });
  const action = bytes.u8(from + 7, to);
  return { family, priority, source, destination, table, action, iifName, oifName, fwMark, fwMask };
}

/** Ask for all rules. */
export function encodeRuleDump(): Uint8Array {
  return new NetlinkWriter({ type: RTM_GETRULE, flags: NLM_F_REQUEST | NLM_F_DUMP })
    .fixed([8, AF_UNSPEC], [8, 0], [8, 0], [8, 0], [8, 0], [8, 0], [8, 0], [8, 0], [32, 0])
    .finish();
}

/** Add a rule. @throws BloomeryError BLM_WIRE_MALFORMED */
export function encodeNewRule(rule: RtnlRule): Uint8Array {
  return encodeRule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

/** Remove a rule. @throws BloomeryError BLM_WIRE_MALFORMED */
export function encodeRuleRemoval(rule: RtnlRule): Uint8Array {
  return encodeRule(RTM_DELRULE, 0, rule);
}

function encodeRule(type: number, flags: number, rule: RtnlRule): Uint8Array {
  const [destination = '', destinationLength = '0'] = rule.destination.split('/');
  const [source = '', sourceLength = '0'] = rule.source.split('/');
  const writer = new NetlinkWriter({ type, flags: NLM_F_REQUEST | NLM_F_ACK | flags }).fixed(
    [8, rule.family],
    [8, Number(destinationLength)],
    [8, Number(sourceLength)],
    [8, 0],
    [8, rule.table > 255 ? TABLE_COMPAT : rule.table],
    [8, 0],
    [8, 0],
    [8, rule.action],
    [32, 0],
  );
  writer.u32(FRA_PRIORITY, rule.priority);
  if (rule.table !== 0) writer.u32(FRA_TABLE, rule.table);
  if (destination !== '') writer.ip(FRA_DST, destination);
  if (source !== '') writer.ip(FRA_SRC, source);
  if (rule.iifName !== '') writer.text(FRA_IIFNAME, rule.iifName);
  if (rule.oifName !== '') writer.text(FRA_OIFNAME, rule.oifName);
  if (rule.fwMark !== 0 || rule.fwMask !== 0) writer.u32(FRA_FWMARK, rule.fwMark);
  if (rule.fwMask !== 0) writer.u32(FRA_FWMASK, rule.fwMask);
  return writer.finish();
}
