/** Kernel modules of the network guest: what the daemon configures, the cards that it has, and the share with the source tree. */
export const GUEST_MODULES: readonly string[] = [
  ...['bonding', '8021q', 'dummy', 'vrf', 'veth', 'bridge', 'macvlan', 'tun', 'wireguard', 'ifb'],
  ...['virtio_pci', 'virtio_net', 'virtio_rng', 'e1000', 'e1000e', 'af_packet', 'realtek', '8139cp'],
  ...['9p', '9pnet_virtio', 'nf_tables', 'nft_chain_nat', 'nft_ct', 'crc32c_generic'],
];
