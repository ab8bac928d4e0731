import { machineProto } from '@bloomery/wire';
import type { ApplyMode } from './talos-api.ts';

type WireMode = machineProto.ApplyConfigurationRequest_Mode;
const { ApplyConfigurationRequest_Mode: MODE } = machineProto;
const MODES: readonly ApplyMode[] = ['reboot', 'auto', 'no-reboot', 'staged', 'try'];

/** A mode as it travels. */
export const WIRE_MODE: Readonly<Record<ApplyMode, WireMode>> = {
  reboot: MODE.REBOOT,
  auto: MODE.AUTO,
  'no-reboot': MODE.NO_REBOOT,
  staged: MODE.STAGED,
  try: MODE.TRY,
};

/** A mode that has travelled; undefined for numbers that have no name. */
export const applyModeOf = (mode: number): ApplyMode | undefined => MODES.find((name) => WIRE_MODE[name] === mode);
