import type { Controller } from '@bloomery/cosi';
import {
  ACTIVE_CONFIG,
  MACHINE_CONFIG_ANNOTATIONS,
  MachineConfig,
  PERSISTENT_CONFIG,
} from '../resources/machine-config.ts';
import { MACHINE_TYPE_ID, MachineType } from '../resources/machine-type.ts';
import type { ConfigStore } from './config-store.ts';

/** Show the configurations of the store, and what follows from them, as resources. */
export const configControllers = (store: ConfigStore): readonly Controller[] => [
  {
    name: 'config.AcquireController',
    inputs: [],
    outputs: [{ definition: MachineConfig, kind: 'exclusive' }],
    wakes: [{ listen: (wake) => store.watch(wake) }],
    reconcile: (context) => {
      const options = { annotations: MACHINE_CONFIG_ANNOTATIONS };
      context.put(MachineConfig, ACTIVE_CONFIG, store.active, options);
      context.put(MachineConfig, PERSISTENT_CONFIG, store.persistent, options);
    },
  },
  {
    name: 'config.MachineTypeController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: MachineType, kind: 'exclusive' }],
    reconcile: (context) => {
      const outputs = context.outputs(MachineType);
      const machine = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.machine;
      if (machine !== undefined) outputs.put(MACHINE_TYPE_ID, machine.type);
      outputs.finish();
    },
  },
];
