import { defineResource, type SpecOf, text, uint } from '@bloomery/cosi';

/** A file below `/etc` as it shall be; its id is its path from there. */
export const EtcFileSpec = defineResource({
  type: 'EtcFileSpecs.files.talos.dev',
  namespace: 'files',
  sensitive: true,
  spec: {
    contents: text(1),
    mode: uint(2),
    selinux_label: text(3),
  },
});
export type EtcFileSpec = SpecOf<typeof EtcFileSpec>;

/** A file below `/etc` that is as its spec says. */
export const EtcFileStatus = defineResource({
  type: 'EtcFileStatuses.files.talos.dev',
  namespace: 'files',
  spec: {
    specVersion: text(1),
  },
});
export type EtcFileStatus = SpecOf<typeof EtcFileStatus>;
