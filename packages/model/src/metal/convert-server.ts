import { asObject, compact, only, spokeConversion, without } from '../conversion-data.ts';
import { isJsonObject } from '../kind.ts';
import { hardwareDown, hardwareUp } from './convert-hardware.ts';

const HUB_ONLY = ['hardware', 'strategicPatches'];
const SPOKE_ONLY = ['system', 'cpu'];

/** Server v1alpha1 to and from v1alpha2, lossless (spec/metal.md §5). */
export const convertServer = spokeConversion({
  hub: 'metal.sidero.dev/v1alpha2',
  spoke: 'metal.sidero.dev/v1alpha1',
  down: ({ spec, status }) => ({
    spec: spec && compact({ ...without(spec, HUB_ONLY), ...hardwareDown(spec['hardware']) }),
    status,
  }),
  up: ({ spec, status }, before) => {
    const stored = asObject(before?.hub.spec);
    const { system, cpu } = asObject(spec);
    const now = { system: isJsonObject(system) ? system : undefined, cpu: isJsonObject(cpu) ? cpu : undefined };
    return {
      spec:
        spec &&
        compact({
          ...without(spec, SPOKE_ONLY),
          ...only(stored, HUB_ONLY),
          hardware: hardwareUp(now, stored['hardware']),
        }),
      status,
    };
  },
});
