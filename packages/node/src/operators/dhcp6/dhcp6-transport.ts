/** The way to the servers of DHCPv6 on one link. Disposing it ends it. */
export interface Dhcp6Channel extends Disposable {
  /** To all servers and relays on the link. */
  send(payload: Uint8Array): void;
}

/** How a client speaks with servers. */
export interface Dhcp6Transport {
  /**
   * @param address The link-local address of the link; no longer tentative.
   * @param onReply Called with what comes to port 546.
   * @throws BloomeryError BLM_NODE_DHCP when the link refuses it.
   */
  open(linkName: string, address: string, onReply: (payload: Uint8Array) => void): Promise<Dhcp6Channel>;
}
