import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who may log in at the simulated BMC. */
export const SIMULATOR_USER = { user: 'ADMIN', password: 'test123' } as const;

/** OpenIPMI's `ipmi_sim` as the BMC of a machine that only exists as files. Speaks cipher suite 3 and refuses 17. */
export interface IpmiSimulator extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** What was set last: `power` is '0' or '1', `boot` 'pxe' or 'none'; empty when nothing was set. */
  read(what: 'power' | 'boot'): Promise<string>;
  /** Everything that was set so far, as `what value`. */
  log(): Promise<readonly string[]>;
  forgetBoot(): Promise<void>;
}

/** Why tests against the real programs cannot run here; undefined when they can. */
export function whyNoSimulator(): string | undefined {
  const lacking = ['ipmi_sim', 'ipmitool'].filter((program) => spawnSync('which', [program]).status !== 0);
  return lacking.length === 0 ? undefined : `${lacking.join(' and ')} not installed`;
}

/** A UDP port that nobody listens on. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

const lanConf = (port: number, control: string): string => `name "bmc"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 ${port}
  priv_limit admin
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789abcdef
endlan
user 2 true "${SIMULATOR_USER.user}" "${SIMULATOR_USER.password}" admin 10 none md2 md5 straight
chassis_control "${control} 0x20"
`;

const EMULATION = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_enable 0x20
`;

const controlScript = (folder: string): string => `#!/bin/sh
cd ${folder}; op=$2; shift 2
if [ $op = get ]; then
  case $1 in power) echo power:$(cat power 2>/dev/null || echo 0);; boot) echo boot:$(cat boot 2>/dev/null || echo none);; esac
else
  while [ $# -gt 0 ]; do echo "$2" > "$1"; echo "$1 $2" >> log; shift 2; done
fi
`;

/** Start a BMC on a free port of 127.0.0.1 and wait until it answers, at most 10 s. */
export async function startIpmiSimulator(): Promise<IpmiSimulator> {
  const folder = await mkdtemp(join(tmpdir(), 'bloomery-ipmi-sim-'));
  const file = (name: string): string => join(folder, name);
  const text = async (name: string): Promise<string> => (await readFile(file(name), 'utf8').catch(() => '')).trim();
  const port = await freeUdpPort();
  await mkdir(file('state'));
  await writeFile(file('lan.conf'), lanConf(port, file('control')));
  await writeFile(file('ipmi.emu'), EMULATION);
  await writeFile(file('control'), controlScript(folder));
  await chmod(file('control'), 0o755);
  const args = ['-c', file('lan.conf'), '-f', file('ipmi.emu'), '-s', file('state'), '-n'];
  const simulator = spawn('ipmi_sim', args, { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    simulator.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 10_000;
  while (!answers(port)) {
    if (Date.now() < deadline) continue;
    await stop();
    throw new Error('ipmi_sim did not answer in 10 s');
  }
  return {
    host: '127.0.0.1',
    port,
    read: text,
    log: async () => (await text('log')).split('\n'),
    forgetBoot: () => writeFile(file('boot'), 'none\n'),
    [Symbol.asyncDispose]: stop,
  };
}

/** Asks as a BMC is asked before a log-in; ipmitool gives up after a second. */
function answers(port: number): boolean {
  const { user, password } = SIMULATOR_USER;
  const args = [
    '-H',
    '127.0.0.1',
    '-p',
    String(port),
    '-I',
    'lanplus',
    '-C',
    '3',
    '-N',
    '1',
    '-R',
    '1',
    '-U',
    user,
    '-E',
  ];
  const env = { PATH: process.env['PATH'] ?? '', IPMITOOL_PASSWORD: password };
  return spawnSync('ipmitool', [...args, 'raw', '0', '1'], { env, timeout: 2_000 }).status === 0;
}
