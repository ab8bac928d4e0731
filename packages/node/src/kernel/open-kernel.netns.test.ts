import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock, until } from '@bloomery/ports';
import { openKernel } from './open-kernel.ts';
import { describeKernel } from './testing/kernel-conformance.ts';
import { enterPrivateNetwork, ip } from './testing/private-network.ts';

describeKernel(
  'the kernel of this host',
  async () => {
    // A network of its own for each test: the old one goes with its last socket.
    await enterPrivateNetwork();
    const stateDir = mkdtempSync(join(tmpdir(), 'blm-kernel-'));
    const kernel = await openKernel({ clock: systemClock, log: silentLog, stateDir });
    return {
      kernel,
      plug: async (name) => {
        ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
        ip('link', 'set', `${name}p`, 'up');
        return until(`${name} is seen`, () => kernel.view.linkByName(name));
      },
      [Symbol.asyncDispose]: async () => {
        await kernel[Symbol.asyncDispose]();
        rmSync(stateDir, { recursive: true, force: true });
      },
    };
  },
  await enterPrivateNetwork(),
);
