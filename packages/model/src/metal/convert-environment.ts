import { asObject, compact, spokeConversion, unlessEdited } from '../conversion-data.ts';

/** Environment v1alpha1 to and from v1alpha2: the fields are the same; absent assets are written as empty ones. */
export const convertEnvironment = spokeConversion({
  hub: 'metal.sidero.dev/v1alpha2',
  spoke: 'metal.sidero.dev/v1alpha1',
  down: ({ spec, status }) => ({
    spec: { ...asObject(spec), initrd: asObject(spec?.['initrd']), kernel: asObject(spec?.['kernel']) },
    status,
  }),
  up: ({ spec, status }, before) => {
    const now = asObject(spec);
    const stored = asObject(before?.hub.spec);
    const old = asObject(before?.spoke.spec);
    return {
      spec: compact({
        ...now,
        initrd: unlessEdited(asObject(now['initrd']), before && old['initrd'], stored['initrd']),
        kernel: unlessEdited(asObject(now['kernel']), before && old['kernel'], stored['kernel']),
      }),
      status,
    };
  },
});
