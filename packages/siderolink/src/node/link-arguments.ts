/** What the kernel arguments say about the link. */
export interface LinkArguments {
  /** `siderolink.api`, its first value. */
  readonly api?: string;
  /** `talos.events.sink` */
  readonly eventSink?: string;
  /** `talos.logging.kernel`, every value once. */
  readonly kernelLogDestinations: readonly string[];
}

/** Longest kernel command line that is read; Linux takes 2 or 4 KiB. */
const COMMAND_LINE_MAX = 16_384;

/** Read the arguments of the link from a kernel command line; values may be quoted. */
export function readLinkArguments(commandLine: string): LinkArguments {
  const words = commandLine.slice(0, COMMAND_LINE_MAX).match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  const valuesOf = (name: string): readonly string[] =>
    words
      .map((word) => word.replaceAll('"', ''))
      .filter((word) => word.startsWith(`${name}=`) && word.length > name.length + 1)
      .map((word) => word.slice(name.length + 1));
  const [api] = valuesOf('siderolink.api');
  const [eventSink] = valuesOf('talos.events.sink');
  return {
    kernelLogDestinations: [...new Set(valuesOf('talos.logging.kernel'))],
    ...(api === undefined ? {} : { api }),
    ...(eventSink === undefined ? {} : { eventSink }),
  };
}
