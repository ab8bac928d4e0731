/** The link that a client works on. */
export interface Dhcp4Link {
  readonly name: string;
  readonly index: number;
  /** ARPHRD. */
  readonly type: number;
  /** Lower case with colons. */
  readonly hardwareAddr: string;
  readonly broadcastAddr: string;
}

/** Who receives what servers send, from UDP port 67 to port 68. */
export type OnDhcp4 = (payload: Uint8Array) => void;

/** The way to the servers while something is asked. Disposing it ends it. */
export interface Dhcp4Channel extends Disposable {
  /** @throws BloomeryError BLM_KERNEL_REFUSED */
  send(payload: Uint8Array): void;
}

/** How a client speaks with servers. */
export interface Dhcp4Transport {
  /** To everybody on the link, also without an address on it. @throws BloomeryError BLM_KERNEL_REFUSED, BLM_NODE_DHCP */
  broadcast(link: Dhcp4Link, onReply: OnDhcp4): Promise<Dhcp4Channel>;
  /**
   * From the leased address to the server that leased it, by the host's routes. Also hears what comes by broadcast: refusals do (RFC
   * 2131 section 4.1).
   *
   * @throws BloomeryError BLM_NODE_DHCP
   */
  unicast(
    link: Dhcp4Link,
    way: { readonly from: string; readonly to: string },
    onReply: OnDhcp4,
  ): Promise<Dhcp4Channel>;
}
