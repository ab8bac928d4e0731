import { BloomeryError } from '@bloomery/ports';

/** One IPMI request: network function, command, data. */
export type IpmiRequest = readonly [netFn: number, command: number, ...data: number[]];

/** Asks the BMC in this machine; gives the data after the completion code. @throws BLM_AGENT_IPMI_FAILED */
export type AskIpmi = (request: IpmiRequest) => Promise<Uint8Array>;

/** The bytes that `ipmitool raw` prints: hex pairs. @throws BLM_AGENT_IPMI_FAILED for anything else. */
export function parseRawAnswer(text: string): Uint8Array {
  const words = text.trim().split(/\s+/).filter(Boolean);
  if (words.length > 256 || words.some((word) => !/^[0-9a-f]{2}$/i.test(word))) {
    throw new BloomeryError('BLM_AGENT_IPMI_FAILED', `reading an IPMI answer: "${text.trim().slice(0, 80)}"`);
  }
  return Uint8Array.from(words, (word) => Number.parseInt(word, 16));
}

const APP = 0x06;
const TRANSPORT = 0x0c;

/** Requests of the in-band set-up (IPMI 2.0 sections 22 and 23). */
export const ipmiRequest = {
  channelInfo: (channel: number): IpmiRequest => [APP, 0x42, channel],
  lanParameter: (channel: number, parameter: number): IpmiRequest => [TRANSPORT, 0x02, channel, parameter, 0, 0],
  userAccess: (channel: number, user: number): IpmiRequest => [APP, 0x44, channel, user],
  userName: (user: number): IpmiRequest => [APP, 0x46, user],
  setUserName: (user: number, name: string): IpmiRequest => [APP, 0x45, user, ...padded(name)],
  setPassword: (user: number, password: string): IpmiRequest => [APP, 0x47, user, 0x02, ...padded(password)],
  enableUser: (user: number): IpmiRequest => [APP, 0x47, user, 0x01, ...padded('')],
  /** Call-in, IPMI messaging, privilege limit administrator. */
  setUserAccess: (channel: number, user: number): IpmiRequest => [APP, 0x43, 0x90 | channel, user, 0x04, 0x00],
} as const;

/** Names and passwords travel in 16 bytes. */
function padded(text: string): number[] {
  const bytes = [...Buffer.from(text, 'latin1').subarray(0, 16)];
  return [...bytes, ...new Array<number>(16 - bytes.length).fill(0)];
}

/** The medium of a channel is 802.3 LAN. */
export function isLanChannel(info: Uint8Array): boolean {
  return ((info[1] ?? 0) & 0x7f) === 0x04;
}

/** Dotted address out of LAN parameter 3 (behind its revision byte); undefined when unset. */
export function lanAddress(parameter: Uint8Array): string | undefined {
  const bytes = parameter.subarray(1, 5);
  return bytes.length === 4 && bytes.some((byte) => byte !== 0) ? bytes.join('.') : undefined;
}

/** Port out of LAN parameter 8 (primary RMCP port, little-endian, behind its revision byte); 623 when unset. */
export function lanPort(parameter: Uint8Array): number {
  const port = (parameter[1] ?? 0) | ((parameter[2] ?? 0) << 8);
  return port === 0 ? 623 : port;
}

/** Highest user number out of Get User Access. */
export function maxUsers(access: Uint8Array): number {
  return (access[0] ?? 0) & 0x3f;
}

/** User name out of Get User Name. */
export function userName(answer: Uint8Array): string {
  const text = Buffer.from(answer).toString('latin1');
  const end = text.indexOf('\0');
  return (end === -1 ? text : text.slice(0, end)).trim();
}
