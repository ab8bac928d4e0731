export * from './dry-run-kernel.ts';
export * from './kernel.ts';
export * from './kernel-error.ts';
export * from './kernel-journal.ts';
export * from './kernel-keys.ts';
export * from './kernel-wireguard.ts';
export { type NetlinkSocket, openNetlinkSocket } from './netlink-socket.ts';
export * from './open-kernel.ts';
export * from './status/index.ts';
