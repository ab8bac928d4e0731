import { BloomeryError, type Clock, type Logger } from '@bloomery/ports';
import type { BmcGate } from './bmc-gate.ts';
import type { IpmitoolOutput, RunIpmitool } from './ipmitool.ts';
import type { PowerClient, PxeMode } from './power-client.ts';

/** Where a BMC is and who we are there. */
export interface IpmiAccess {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** ipmitool's interface: lanplus (IPMI 2.0) or lan. */
  readonly interface: string;
}

export interface IpmiDeps {
  readonly run: RunIpmitool;
  readonly gate: BmcGate;
  readonly clock: Clock;
  readonly log: Logger;
  /** The cipher suite that worked last, by `host:port`. Shared by all clients. */
  readonly suites: Map<string, number>;
  /** Writes a text to a file that ipmitool can read and returns its path; called once per distinct text. */
  readonly scriptFile: (name: string, text: string) => Promise<string>;
}

/** All of one call, also when it tries a second cipher suite. boot.md §13 */
const CALL_TIMEOUT_MS = 10_000;
/** Without `-C` ipmitool asks for the suites first and stalls 10 s at BMCs that do not know the question. */
const CIPHER_SUITES = [17, 3];
const MAX_REMEMBERED = 10_000;
const BOOT_DEVICE_PXE = 0x04;
const BOOT_DEVICE_MASK = 0x3c;

/** Chassis commands as ipmitool `raw` arguments: netfn 0, command, data. IPMI 2.0 §28 */
const RAW = { status: ['0x00', '0x01'], off: ['0x00', '0x02', '0x00'], on: ['0x00', '0x02', '0x01'] } as const;
const RAW_CYCLE = ['0x00', '0x02', '0x02'];

function bootFlags(mode: PxeMode): readonly string[] {
  return ['0x00', '0x08', '0x05', mode === 'uefi' ? '0xa0' : '0x80', '0x04', '0x00', '0x00', '0x00'];
}

/**
 * Set-in-progress, acknowledge, boot flags, read back, done. The acknowledge (parameter 4) and set-in-progress (0) are refused
 * by some BMCs, which do the rest all the same: only what is read back counts.
 */
function pxeScript(mode: PxeMode): string {
  const commands = [
    ['0x00', '0x08', '0x00', '0x01'],
    ['0x00', '0x08', '0x04', '0x01', '0x01'],
    bootFlags(mode),
    ['0x00', '0x09', '0x05', '0x00', '0x00'],
    ['0x00', '0x08', '0x00', '0x00'],
  ];
  return commands.map((command) => `raw ${command.join(' ')}\n`).join('');
}

/** Whether the boot flags that were read back say "from the network". Undefined when they could not be read. */
function readBackIsPxe(stdout: string): boolean | undefined {
  const match = /^\s*[0-9a-f]{2} [08]5 [0-9a-f]{2} ([0-9a-f]{2})/m.exec(stdout);
  return match?.[1] === undefined ? undefined : (Number.parseInt(match[1], 16) & BOOT_DEVICE_MASK) === BOOT_DEVICE_PXE;
}

/** What the BMC says to a wrong user or password; ipmitool tells it only with -v. IPMI 2.0 §13.24 */
function isAuthRefused({ stderr }: IpmitoolOutput): boolean {
  return /RAKP 2 HMAC is invalid|unauthorized name|Activate Session command failed|invalid integrity check/i.test(
    stderr,
  );
}

const REFUSED = /rsp=0x([0-9a-f]{1,2})/;

function noSession(output: IpmitoolOutput): boolean {
  return (
    output.code === undefined ||
    /Unable to establish|Error in open session|Get Session|No response/i.test(output.stderr)
  );
}

/** Make the power client of one BMC over IPMI. Nothing is sent before the first call. */
export function createIpmiClient(access: IpmiAccess, deps: IpmiDeps): PowerClient {
  const bmc = access.host.includes(':') ? `[${access.host}]:${access.port}` : `${access.host}:${access.port}`;
  const base = ['-v', '-H', access.host, '-p', String(access.port), '-U', access.user, '-I', access.interface, '-E'];

  /** Tries the remembered suite first, else 17 then 3; the first that opens a session is remembered. */
  const open = async (command: readonly string[], deadlineMs: number): Promise<IpmitoolOutput> => {
    const known = deps.suites.get(bmc);
    const suites = access.interface !== 'lanplus' ? [undefined] : known === undefined ? CIPHER_SUITES : [known];
    let output: IpmitoolOutput = { code: undefined, stdout: '', stderr: '' };
    let refusal: IpmitoolOutput | undefined;
    for (const [index, suite] of suites.entries()) {
      const leftMs = deadlineMs - deps.clock.nowMs();
      const shareMs = Math.max(500, Math.floor(leftMs / (suites.length - index)));
      const tries = ['-N', '1', '-R', '3', ...(suite === undefined ? [] : ['-C', String(suite)])];
      output = await deps.run([...base, ...tries, ...command], access.password, shareMs);
      refusal ??= isAuthRefused(output) ? output : undefined;
      if (noSession(output)) continue;
      if (suite !== undefined && deps.suites.size < MAX_REMEMBERED) deps.suites.set(bmc, suite);
      return output;
    }
    // A replaced BMC may need another suite: look for it again next time.
    deps.suites.delete(bmc);
    return refusal ?? output;
  };
  const failed = (what: string, output: IpmitoolOutput): BloomeryError => {
    const reason = output.stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
    if (noSession(output) && isAuthRefused(output)) {
      return new BloomeryError('BLM_BMC_AUTH', `${what} through BMC ${bmc}: it refuses user or password`, {
        retryable: true,
        facts: { bmc, transport: 'ipmi' },
      });
    }
    if (noSession(output)) {
      const text = output.code === undefined ? `no answer in ${CALL_TIMEOUT_MS / 1000} s` : reason;
      return new BloomeryError('BLM_BMC_UNREACHABLE', `${what} through BMC ${bmc}: ${text}`, {
        retryable: true,
        facts: { bmc, transport: 'ipmi' },
      });
    }
    const code = REFUSED.exec(output.stderr)?.[1];
    return new BloomeryError('BLM_BMC_FAILED', `${what} through BMC ${bmc}: ${reason}`, {
      retryable: true,
      facts: { bmc, transport: 'ipmi', ...(code === undefined ? {} : { completionCode: `0x${code}` }) },
    });
  };
  const raw = (what: string, command: readonly string[]): Promise<string> =>
    deps.gate.run(bmc, async () => {
      const output = await open(['raw', ...command], deps.clock.nowMs() + CALL_TIMEOUT_MS);
      if (output.code !== 0) throw failed(what, output);
      return output.stdout;
    });
  const setPxe = async (mode: PxeMode): Promise<void> => {
    const script = await deps.scriptFile(`pxe-${mode}`, pxeScript(mode));
    await deps.gate.run(bmc, async () => {
      const deadlineMs = deps.clock.nowMs() + CALL_TIMEOUT_MS;
      const output = await open(['exec', script], deadlineMs);
      if (noSession(output)) throw failed('setting network boot', output);
      if (readBackIsPxe(output.stdout) === true) return;
      // Not readable, or not kept: set the flags alone and take the BMC's word for it.
      const flags = await open(['raw', ...bootFlags(mode)], deadlineMs);
      if (flags.code !== 0) throw failed('setting network boot', flags);
      deps.log.debug('bmc.quirk', { bmc, quirk: 'boot flags cannot be read back' });
    });
  };
  return {
    isFake: false,
    async isPoweredOn() {
      const stdout = await raw('reading power', RAW.status);
      const state = /^\s*([0-9a-f]{2})\b/.exec(stdout)?.[1];
      if (state === undefined) throw failed('reading power', { code: 1, stdout, stderr: 'the answer has no state' });
      return (Number.parseInt(state, 16) & 1) === 1;
    },
    async powerOn() {
      await raw('powering on', RAW.on);
    },
    async powerOff() {
      await raw('powering off', RAW.off);
    },
    async powerCycle() {
      await raw('power-cycling', RAW_CYCLE);
    },
    setPxeOnce: setPxe,
  };
}
