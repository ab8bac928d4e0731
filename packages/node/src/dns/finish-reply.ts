import {
  DNS_FLAG,
  type DnsOption,
  type DnsQuery,
  encodeDnsEdns,
  fitDnsAnswer,
  frameDnsAnswer,
  PLAIN_EDNS,
} from '@bloomery/wire';

/** What a reply is made of. */
export interface ReplyParts {
  /** The client's packet. */
  readonly packet: Uint8Array;
  readonly query: DnsQuery;
  /** A whole answer to the question in any case, without OPT record. */
  readonly message: Uint8Array;
  /** With its upper bits. */
  readonly rcode: number;
  readonly transport: 'udp' | 'tcp';
  /** Told to clients that know EDNS. */
  readonly options?: readonly DnsOption[];
}

const QUESTION_AT = 12;
const PLAIN_LIMIT_BYTES = 512;
const STREAM_LIMIT_BYTES = 65_535;
/** The longest datagram that IPv4 carries, whatever a client says that it takes. */
export const DATAGRAM_MAX_BYTES = 65_507;

/**
 * The reply for one client: its id, its case of the question, its RD and CD, AD only when asked for (RFC 6840 section 5.8), an OPT
 * record only when it sent one, and cut to the size that it takes.
 */
export function finishReply({ packet, query, message, rcode, transport, options = [] }: ReplyParts): Buffer {
  const { edns } = query;
  const opt =
    edns === undefined
      ? new Uint8Array()
      : encodeDnsEdns({ ...PLAIN_EDNS, extendedRcode: rcode >>> 4, dnssecOk: edns.dnssecOk, options });
  const limit = transport === 'tcp' ? STREAM_LIMIT_BYTES : datagramLimit(edns?.udpSizeBytes);
  const fitted = fit(message, limit - opt.byteLength);
  const wantsAd = (query.flags & DNS_FLAG.AD) !== 0 || edns?.dnssecOk === true;
  const kept = fitted.readUInt16BE(2) & (DNS_FLAG.AA | DNS_FLAG.TC | DNS_FLAG.RA | (wantsAd ? DNS_FLAG.AD : 0));
  const asked = query.flags & (DNS_FLAG.RD | DNS_FLAG.CD);
  fitted.writeUInt16BE(query.id, 0);
  fitted.writeUInt16BE(DNS_FLAG.QR | kept | asked | (rcode & 15), 2);
  fitted.set(packet.subarray(QUESTION_AT, query.questionEnd), QUESTION_AT);
  if (edns === undefined) return fitted;
  fitted.writeUInt16BE(fitted.readUInt16BE(10) + 1, 10);
  return Buffer.concat([fitted, opt]);
}

function datagramLimit(takenBytes = PLAIN_LIMIT_BYTES): number {
  return Math.min(DATAGRAM_MAX_BYTES, Math.max(PLAIN_LIMIT_BYTES, takenBytes));
}

function fit(message: Uint8Array, limitBytes: number): Buffer {
  if (message.byteLength <= limitBytes) return Buffer.from(message);
  const frame = frameDnsAnswer(message);
  if (frame === undefined) throw new RangeError('a reply must have one question and whole records');
  return fitDnsAnswer(message, frame, limitBytes);
}
