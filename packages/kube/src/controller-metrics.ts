/**
 * Where controllers count what they do; the composition root turns it into `workqueue_*` and `controller_runtime_*` metrics.
 * Every call names the controller. Never throws.
 */
export interface ControllerMetrics {
  /** workqueue_depth */
  depth(controller: string, keys: number): void;
  /** workqueue_adds_total */
  added(controller: string): void;
  /** workqueue_retries_total */
  retried(controller: string): void;
  /** controller_runtime_reconcile_total{result}, _errors_total, _time_seconds and workqueue_work_duration_seconds */
  reconciled(controller: string, result: 'success' | 'error' | 'requeue_after', durationMs: number): void;
}
