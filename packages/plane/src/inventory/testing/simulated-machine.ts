import { patchStatus } from '@bloomery/kube';
import { serverBinding } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { agentProto } from '@bloomery/wire';
import { create } from '@bufbuild/protobuf';
import type { PowerClient } from '../../power/power-client.ts';
import { heartbeat, markServerAsWiped } from '../agent/agent-reports.ts';
import { registerServer } from '../agent/register-server.ts';
import type { SimulatedPlane } from './simulated-plane.ts';

/** From power-on to the boot script, one wipe, one sign of life to the next, and the reboot at the end of the agent. */
const POST_MS = 40_000;
const WIPE_MS = 90_000;
const RETRY_MS = 30_000;
const RETRIES = 10;
const REBOOT_MS = 10_000;

/** A machine with a BMC that boots from the network first, does what its agent is told, and survives planes. */
export interface SimulatedMachine {
  readonly name: string;
  /** Its BMC. */
  readonly power: PowerClient;
  /** `powerOn`, `powerOff`, `powerCycle`, `wipe`, `wiped`, `boot agent`, … in the order they happened. */
  readonly history: readonly string[];
  readonly isOn: boolean;
  /** The BMC answers nothing. */
  silent: boolean;
  /** The BMC refuses everything. */
  refusing: boolean;
  /** The agent's kernel panics before it reports, over and over. */
  broken: boolean;
  /** Somebody presses the button. */
  press(): void;
}

/** Make a machine that is off. `plane` is asked for at every boot and report: it may be another one by then. */
export function createSimulatedMachine(name: string, plane: () => SimulatedPlane): SimulatedMachine {
  const history: string[] = [];
  let on = false;
  /** Everything that an earlier boot had begun is void. */
  let life = 0;
  const clock = plane().clock;

  const boot = (): void => {
    const mine = ++life;
    const gone = (): boolean => !on || life !== mine;
    const later = async (ms: number): Promise<boolean> => {
      await clock.sleep(ms);
      return !gone();
    };
    void run(later).catch(() => {});
  };
  const told = async <T>(later: (ms: number) => Promise<boolean>, call: () => Promise<T>): Promise<T | undefined> => {
    for (let attempt = 0; attempt < RETRIES; attempt++) {
      try {
        return await call();
      } catch {
        if (!(await later(RETRY_MS))) return undefined;
      }
    }
    return undefined;
  };
  const run = async (later: (ms: number) => Promise<boolean>): Promise<void> => {
    if (!(await later(POST_MS))) return;
    const script = await told(later, () => plane().bootScript(name));
    if (script === undefined) return;
    history.push(`boot ${script.boot}`);
    const caller = { token: script.token, address: '10.0.0.1' };
    if (script.boot === 'agent') await runAgent(later, caller);
    else if (script.boot === 'environment') await runSystem(later);
  };
  const runAgent = async (
    later: (ms: number) => Promise<boolean>,
    caller: { readonly token: string | undefined; readonly address: string },
  ): Promise<void> => {
    if (machine.broken) {
      // panic=30
      if (await later(RETRY_MS)) boot();
      return;
    }
    const hardware = { system: { uuid: name }, network: { interfaces: [{ index: 1, mac: '52:54:00:00:00:01' }] } };
    const request = create(agentProto.CreateServerRequestSchema, { hardware, hostname: '' });
    const orders = await told(later, () => registerServer(request, caller, plane().agentDeps()));
    if (orders?.wipe === true) {
      history.push('wipe');
      for (let doneMs = 0; doneMs < WIPE_MS; doneMs += WIPE_MS / 3) {
        await told(later, () => heartbeat(name, caller, plane().agentDeps()));
        if (!(await later(WIPE_MS / 3))) return;
      }
      history.push('wiped');
      await told(later, () => markServerAsWiped(name, caller, plane().agentDeps()));
    }
    if (await later(REBOOT_MS)) boot();
  };
  const runSystem = async (later: (ms: number) => Promise<boolean>): Promise<void> => {
    if (!(await later(POST_MS))) return;
    await told(later, () =>
      patchStatus(plane().agentDeps(), serverBinding, { name }, () => ({
        conditions: [{ type: 'TalosInstalled', status: 'True' }],
      })),
    );
  };
  const act = async (what: string, action: () => void): Promise<void> => {
    plane().step(what);
    if (machine.silent) throw new BloomeryError('BLM_BMC_UNREACHABLE', `${what}: no answer`, { retryable: true });
    if (machine.refusing) throw new BloomeryError('BLM_BMC_FAILED', `${what}: refused`, { retryable: true });
    await plane().watch(what);
    history.push(what);
    action();
    plane().step(what);
  };
  const start = (): void => {
    on = true;
    boot();
  };
  const machine = {
    name,
    history,
    get isOn() {
      return on;
    },
    silent: false,
    refusing: false,
    broken: false,
    press: () => {
      if (on) on = false;
      else start();
    },
    power: {
      isFake: false,
      async isPoweredOn() {
        plane().step('status');
        if (machine.silent) throw new BloomeryError('BLM_BMC_UNREACHABLE', 'status: no answer', { retryable: true });
        return on;
      },
      powerOn: () => act('powerOn', () => (on ? undefined : start())),
      powerOff: () =>
        act('powerOff', () => {
          on = false;
        }),
      powerCycle: () => act('powerCycle', () => (on ? start() : undefined)),
      async setPxeOnce() {
        plane().step('setPxeOnce');
        await clock.sleep(plane().pxeDelayMs());
        if (machine.refusing) throw new BloomeryError('BLM_BMC_FAILED', 'boot flags: refused', { retryable: true });
        plane().step('setPxeOnce');
      },
    },
  };
  return machine;
}
