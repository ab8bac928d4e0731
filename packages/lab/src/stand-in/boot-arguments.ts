import { parseCommandLine } from '@bloomery/agent';

/** What the stand-in reads from the kernel command line beside the arguments of the link: one of Talos and three of its own. */
export interface BootArguments {
  /** `talos.config`, not yet with this machine's UUID. */
  readonly configUrl?: string;
  /** `stand-in.image`: folder URL of the kernel and initramfs that are installed on the disk. */
  readonly imageUrl?: string;
  /** `stand-in.etcd`: URL of the etcd program, which control planes install with it. */
  readonly etcdUrl?: string;
  /** `stand-in.boot=disk`: set by the boot loader that the stand-in installed. */
  readonly isDiskBoot: boolean;
}

/** Read the arguments of this boot; where `stand-in.image` is missing it is looked for beside the configuration. */
export function readBootArguments(commandLine: string): BootArguments {
  const words = parseCommandLine(commandLine);
  const configUrl = words.get('talos.config');
  const imageUrl = words.get('stand-in.image') ?? imageBeside(configUrl);
  const etcdUrl = words.get('stand-in.etcd');
  return {
    isDiskBoot: words.get('stand-in.boot') === 'disk',
    ...(configUrl === undefined ? {} : { configUrl }),
    ...(imageUrl === undefined ? {} : { imageUrl }),
    ...(etcdUrl === undefined ? {} : { etcdUrl }),
  };
}

function imageBeside(configUrl: string | undefined): string | undefined {
  return configUrl !== undefined && URL.canParse(configUrl) ? new URL('/env/default', configUrl).href : undefined;
}

/** As Talos does: an empty `uuid` parameter of the configuration's URL is filled in. */
export function configUrlFor(url: string, uuid: string): string {
  const parsed = new URL(url);
  if (parsed.searchParams.get('uuid') === '') parsed.searchParams.set('uuid', uuid);
  return parsed.href;
}
