/** TCP ports of the server's link address, the only ones that machines reach: those that Sidero has. */
export const LINK_PORT = { kernelLog: 4001, events: 4002 } as const;

/** Where machines send what they tell, as their kernel arguments and configurations name it. */
export interface LinkSinks {
  /** URL for `talos.logging.kernel` and KmsgLogConfig. */
  readonly kernelLog: string;
  /** `[address]:port` for `talos.events.sink` and EventSinkConfig. */
  readonly events: string;
}

/** The sinks of a server. @param serverAddress Its link address, without prefix length. */
export function linkSinks(serverAddress: string): LinkSinks {
  return {
    kernelLog: `tcp://[${serverAddress}]:${LINK_PORT.kernelLog}`,
    events: `[${serverAddress}]:${LINK_PORT.events}`,
  };
}
