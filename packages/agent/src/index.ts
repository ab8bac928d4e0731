export * from './hardware/disk.ts';
export * from './hardware/hardware-information.ts';
export * from './hardware/network-link.ts';
