/** Messages and service of `proto/api/agent.proto`: what the boot agent says to the plane. */
export * as agentProto from './gen/api/agent_pb.ts';
