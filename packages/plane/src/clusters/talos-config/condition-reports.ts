import { WAIT_REASONS, type WaitReason } from '@bloomery/model';
import { type Wait, waitingFor } from '../../allocation/wait.ts';
import { WARN_BEFORE_MS } from './client-config.ts';
import type { ConditionReport, StatusReport } from './talos-config-status.ts';

const MAX_LISTED = 10;

/** The machine config is there. */
export const available = (): ConditionReport => ({
  type: 'DataSecretAvailable',
  status: 'True',
  reason: 'Available',
  message: 'the machine config is there',
});

/** Status of a TalosConfig that waits. */
export function waitReport(wait: Wait): StatusReport {
  const { reason, message } = wait;
  if (reason === 'Paused') {
    return { observed: false, waitingFor: waitingFor(wait), conditions: [] };
  }
  const severity = WAIT_REASONS[reason].normal ? 'Info' : 'Warning';
  const condition: ConditionReport = {
    type: 'DataSecretAvailable',
    status: 'False',
    reason: 'NotAvailable',
    ready: reason,
    message,
    old: { reason, severity },
  };
  return { observed: true, waitingFor: waitingFor(wait), conditions: [condition] };
}

/** The machine config could not be made. */
export const dataFailure = (ready: WaitReason, text: string): ConditionReport => ({
  type: 'DataSecretAvailable',
  status: 'False',
  reason: 'InternalError',
  ready,
  message: `Data secret generation failed: ${text}`,
  old: { reason: 'DataSecretGenerationFailed', severity: 'Error' },
});

/** The talosconfig of the cluster could not be made. */
export const clientFailure = (text: string): ConditionReport => ({
  type: 'ClientConfigAvailable',
  status: 'False',
  reason: 'InternalError',
  message: `talosconfig generation failure: ${text}`,
  old: { reason: 'ClientConfigGenerationFailed', severity: 'Error' },
});

/** What Talos, or a provider, will not take of a config that was made. */
export function configProblems(problems: readonly string[]): ConditionReport {
  const more = problems.length > MAX_LISTED ? `; ${problems.length - MAX_LISTED} more` : '';
  return {
    type: 'ConfigValid',
    status: 'False',
    reason: 'ConfigInvalid',
    message: `the machine will not take its config: ${problems.slice(0, MAX_LISTED).join('; ')}${more}`,
    old: { reason: 'ConfigInvalid', severity: 'Warning' },
  };
}

/** The talosconfig of the cluster is there, and whether its certificate ends soon. */
export function clientReports(secretName: string, notAfterMs: number, nowMs: number): readonly ConditionReport[] {
  const until = new Date(notAfterMs).toISOString().slice(0, 10);
  const expires = notAfterMs - nowMs < WARN_BEFORE_MS;
  return [
    {
      type: 'ClientConfigAvailable',
      status: 'True',
      reason: 'Available',
      message: `Secret ${secretName} is current`,
    },
    ...(expires
      ? ([
          {
            type: 'ClientConfigExpiring',
            status: 'True',
            reason: 'ExpiresSoon',
            message: `the client certificate in Secret ${secretName} is valid until ${until}; it is renewed 30 days before, copies of it are not`,
          },
        ] as const)
      : []),
  ];
}
