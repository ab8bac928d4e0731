import { grpcError } from '@bloomery/grpc';
import { type BloomeryError, type ErrorCode, isBloomeryError } from '@bloomery/ports';
import { applyModeOf, WIRE_MODE } from '@bloomery/talos';
import { machineEventsProto, type machineProto } from '@bloomery/wire';
import type { ConfigStore } from '../config/config-store.ts';
import type { NodeEvents } from './node-events.ts';

const STATUS_OF: Partial<Record<ErrorCode, 'FAILED_PRECONDITION' | 'INVALID_ARGUMENT' | 'INTERNAL'>> = {
  BLM_NODE_APPLY_BUSY: 'FAILED_PRECONDITION',
  BLM_NODE_APPLY_REBOOT: 'FAILED_PRECONDITION',
  BLM_NODE_CONFIG_UNWRITABLE: 'INTERNAL',
  BLM_TALOS_CONFIG_INVALID: 'INVALID_ARGUMENT',
};

/**
 * Apply what a client sent.
 *
 * @throws BloomeryError BLM_GRPC_STATUS FAILED_PRECONDITION (busy, mode reboot), INVALID_ARGUMENT (configuration, mode, timeout).
 */
export async function applyConfiguration(
  store: ConfigStore,
  events: NodeEvents,
  roles: readonly string[],
  request: machineProto.ApplyConfigurationRequest,
) {
  const mode = applyModeOf(request.mode);
  if (mode === undefined)
    throw grpcError('INVALID_ARGUMENT', `incorrect mode '${request.mode}' specified for the apply config call`);
  const { tryModeTimeout } = request;
  try {
    const {
      details,
      mode: chosen,
      warnings,
    } = await store.apply({
      text: Buffer.from(request.data).toString('utf8'),
      mode,
      dryRun: request.dryRun,
      hideSecrets: !roles.includes('os:admin'),
      ...(tryModeTimeout === undefined
        ? {}
        : { tryTimeoutMs: Number(tryModeTimeout.seconds) * 1_000 + tryModeTimeout.nanos / 1e6 }),
    });
    return { mode: WIRE_MODE[chosen], modeDetails: details, warnings: [...warnings] };
  } catch (error) {
    if (isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID')) {
      events.publish(machineEventsProto.ConfigValidationErrorEventSchema, { error: error.message });
    }
    throw isBloomeryError(error) ? asStatus(error) : error;
  }
}

function asStatus(error: BloomeryError): BloomeryError {
  const status = STATUS_OF[error.code];
  return status === undefined ? error : grpcError(status, error.message, error);
}
