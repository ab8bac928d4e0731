import { createFakeClock, silentLog } from '@bloomery/ports';
import type { NodeEnvironment, NodeSettings } from '../node-environment.ts';
import { createFakeKernel } from './fake-kernel/fake-kernel.ts';

/** Settings that touch nothing of the host. */
export function testSettings(settings: Partial<NodeSettings> = {}): NodeSettings {
  return {
    stateDir: '/nowhere/state',
    cmdline: '',
    manageAll: false,
    hostFiles: false,
    leave: false,
    uuid: '7b7a7cbb-0d1c-4f0a-a4c0-6c2b0a1f3e55',
    talosVersion: 'v1.13.9',
    root: '/nowhere',
    ...settings,
  };
}

/** What areas receive, out of fakes; replace what a test looks at. Random bytes are all alike. */
export function testEnvironment(
  parts: Partial<Omit<NodeEnvironment, 'settings'>> = {},
  settings: Partial<NodeSettings> = {},
): NodeEnvironment {
  return {
    clock: createFakeClock(1_700_000_000_000),
    log: silentLog,
    random: (length) => new Uint8Array(length).fill(0x80),
    kernel: createFakeKernel(),
    settings: testSettings(settings),
    ...parts,
  };
}
