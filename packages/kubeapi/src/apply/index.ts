export * from './apply-conflict.ts';
export * from './field-versions.ts';
export * from './managed-writes.ts';
export { type IgnoredMembers, ignoredMembers } from './ownership.ts';
export * from './server-side-apply.ts';
export { type TrackedUpdate, trackUpdate } from './track-update.ts';
