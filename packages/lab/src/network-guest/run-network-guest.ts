import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { NetworkGuestImage } from './build-network-guest.ts';

/** How a guest is run. */
export interface NetworkGuestRun {
  readonly image: NetworkGuestImage;
  /** Mounted read-only at /repo. */
  readonly sourceDir: string;
  /** Mounted read-only at /peers: test peers under their names. */
  readonly peersDir: string;
  /** Mounted read-only at /bundle: what scripts/bundle.ts made. Hundreds of sources would take an emulated guest minutes. */
  readonly bundleDir: string;
  /** Gets each line that the program in the guest writes to its standard output. */
  readonly onLine: (line: string) => void;
  /** File that gets the console: the kernel's lines, and the program's standard error. */
  readonly consoleLog: string;
  /** Powers the guest off. */
  readonly signal: AbortSignal;
}

/** Fixed places on the bus, so that names and selectors are known: two virtio cards, an e1000 and one that shares its slot. */
const CARDS = [
  'virtio-net-pci,mac=52:54:00:00:00:01,addr=0x5,romfile=',
  'virtio-net-pci,mac=52:54:00:00:00:02,addr=0x6.0x0,multifunction=on,romfile=',
  'virtio-net-pci,mac=52:54:00:00:00:03,addr=0x6.0x1,romfile=',
  'e1000,mac=52:54:00:00:00:04,addr=0x7,romfile=',
];

/** Boot the guest, emulated, and wait until it has powered itself off. @returns QEMU's exit code */
export function runNetworkGuest(run: NetworkGuestRun): Promise<number> {
  const { image, sourceDir, peersDir, bundleDir, consoleLog, onLine, signal } = run;
  const share = (tag: string, path: string): readonly string[] => [
    ...['-fsdev', `local,id=${tag},path=${path},security_model=none,readonly=on,multidevs=remap`],
    ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
  const cards = CARDS.flatMap((card, i) => [
    ...['-netdev', `hubport,id=n${i},hubid=${i}`],
    ...['-device', `${card.replace(/^([^,]+),/, `$1,netdev=n${i},`)}`],
  ]);
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'pc,accel=tcg', '-cpu', 'max', '-m', '1536', '-smp', '2', '-nodefaults', '-display', 'none'],
      ...['-kernel', image.vmlinuz, '-initrd', image.initramfs],
      ...['-append', 'console=ttyS0 loglevel=4 panic=-1 net.ifnames=1', '-no-reboot'],
      ...cards,
      ...share('repo', sourceDir),
      ...share('peers', peersDir),
      ...share('bundle', bundleDir),
      ...['-object', 'rng-random,id=r0,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=r0'],
      ...['-chardev', `file,id=console,path=${consoleLog}`, '-serial', 'chardev:console'],
      // The program's own words leave through a second port, which no kernel message can break into.
      ...['-chardev', 'stdio,id=lines,signal=off', '-serial', 'chardev:lines'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  createInterface({ input: child.stdout }).on('line', onLine);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? -1);
    });
  });
}
