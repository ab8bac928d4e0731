/** Messages and service of `proto/api/agent.proto`: what the boot agent says to the plane. */

export * from './dhcp/dhcp-option.ts';
export * from './dhcp/dhcp-packet.ts';
export * from './dhcp/dhcp-search-list.ts';
export * from './dhcp/dhcp-value.ts';
export * from './dhcp6/dhcp6-message.ts';
export * from './dns/index.ts';
export * as agentProto from './gen/api/agent_pb.ts';
/** Messages of `proto/common/common.proto`: errors as Talos reports them. */
export * as commonProto from './gen/common/common_pb.ts';
/** Messages and service of `proto/cosi/state.proto`: resources of a node. */
export * as cosiProto from './gen/cosi/state_pb.ts';
/** Messages and service of `proto/events/events.proto`: the envelope of machine events. */
export * as eventsProto from './gen/events/events_pb.ts';
/** Messages of `proto/gnostic/openapi-v2.proto`: the OpenAPI v2 document as old kubectl reads it. */
export * as openApiV2Proto from './gen/gnostic/openapi-v2_pb.ts';
/** Messages and service of `proto/link/provision.proto`: how a machine joins the link. */
export * as linkProto from './gen/link/provision_pb.ts';
/** Message and service of `proto/link/wireguard-over-grpc.proto`: WireGuard datagrams inside gRPC. */
export * as linkTunnelProto from './gen/link/wireguard-over-grpc_pb.ts';
/** Messages and service of `proto/machine/machine.proto`: the Talos API of a machine. */
export * as machineProto from './gen/machine/machine_pb.ts';
/** Messages of `proto/machine/machine-events.proto`: what a Talos machine reports about itself. */
export * as machineEventsProto from './gen/machine/machine-events_pb.ts';
/** Messages and service of `proto/security/security.proto`: server certificates for machines without the key of their CA. */
export * as securityProto from './gen/security/security_pb.ts';
export * from './go-duration.ts';
export * from './held-bytes.ts';
export * from './ipv4.ts';
export * from './ipv4-udp.ts';
export * from './ipv6.ts';
export * from './mac.ts';
export * from './netlink/index.ts';
export * from './smbios/index.ts';
export * from './tftp/tftp-packet.ts';
export * from './wireguard/peer-packet.ts';
export * from './wireguard/peer-packet-reader.ts';
export * from './wireguard/uapi.ts';
export * from './wireguard/wireguard-key.ts';
