import { BloomeryError, isBloomeryError, type Logger, type RandomBytes } from '@bloomery/ports';
import { type AskIpmi, ipmiRequest, isLanChannel, lanAddress, lanPort, maxUsers, userName } from './ipmi-message.ts';

/** Where the BMC answers on the network. */
export interface BmcAddress {
  readonly channel: number;
  readonly ip: string;
  readonly port: number;
}

/** The user that the plane will power the machine with. */
export interface BmcCredentials {
  readonly user: string;
  readonly password: string;
}

export interface BmcSetupDeps {
  readonly ask: AskIpmi;
  readonly random: RandomBytes;
  readonly log: Logger;
}

const MAX_CHANNEL = 8;
const DEFAULT_CHANNEL = 1;
const USER_NAME = 'sidero';
const PASSWORD_LENGTH = 16;
const FREE_NAMES: ReadonlySet<string> = new Set(['', '(Empty User)']);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The address of the first LAN channel that has one; undefined when the BMC has no address. */
export async function findBmcAddress({ ask }: BmcSetupDeps): Promise<BmcAddress | undefined> {
  for (let channel = 1; channel <= MAX_CHANNEL; channel++) {
    const info = await quietly(() => ask(ipmiRequest.channelInfo(channel)));
    if (info !== undefined && !isLanChannel(info)) continue;
    if (info === undefined && channel !== DEFAULT_CHANNEL) continue;
    const address = await quietly(() => ask(ipmiRequest.lanParameter(channel, 3)));
    const ip = address === undefined ? undefined : lanAddress(address);
    if (ip === undefined) continue;
    const port = await quietly(() => ask(ipmiRequest.lanParameter(channel, 8)));
    return { channel, ip, port: port === undefined ? 623 : lanPort(port) };
  }
  return undefined;
}

/**
 * Make or reset the plane's own BMC user with a new random password.
 * @throws BloomeryError BLM_AGENT_IPMI_FAILED when the BMC refuses or has no room for another user.
 */
export async function setUpBmcUser(channel: number, { ask, random, log }: BmcSetupDeps): Promise<BmcCredentials> {
  const last = maxUsers(await ask(ipmiRequest.userAccess(channel, 1)));
  const user = await chooseUser(last, ask);
  if (user === undefined) {
    throw new BloomeryError('BLM_AGENT_IPMI_FAILED', `looking for a free BMC user: all ${last} are taken`);
  }
  const password = makePassword(random);
  await ask(ipmiRequest.setUserName(user, USER_NAME));
  await ask(ipmiRequest.setPassword(user, password));
  await ask(ipmiRequest.setUserAccess(channel, user));
  await ask(ipmiRequest.enableUser(user));
  log.info('bmc.user', { user: USER_NAME, number: user, channel });
  return { user: USER_NAME, password };
}

/** Our user from an earlier time, else the first free one; a name that cannot be read counts as free. */
async function chooseUser(last: number, ask: AskIpmi): Promise<number | undefined> {
  let free: number | undefined;
  for (let user = 2; user <= last; user++) {
    const answer = await quietly(() => ask(ipmiRequest.userName(user)));
    const name = answer === undefined ? '' : userName(answer);
    if (name === USER_NAME) return user;
    if (free === undefined && FREE_NAMES.has(name)) free = user;
  }
  return free;
}

/** 16 letters and digits, each equally likely. */
function makePassword(random: RandomBytes): string {
  let password = '';
  while (password.length < PASSWORD_LENGTH) {
    for (const byte of random(PASSWORD_LENGTH)) {
      const fair = byte < 256 - (256 % ALPHABET.length);
      if (fair && password.length < PASSWORD_LENGTH) password += ALPHABET[byte % ALPHABET.length];
    }
  }
  return password;
}

async function quietly<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isBloomeryError(error, 'BLM_AGENT_IPMI_FAILED')) return undefined;
    throw error;
  }
}
