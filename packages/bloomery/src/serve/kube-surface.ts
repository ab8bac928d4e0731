import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ApiHandlerOptions,
  createRequestGate,
  createRequestMetrics,
  openAuditLog,
  type RequestLoad,
  type Store,
} from '@bloomery/kubeapi';
import type { Clock, Logger } from '@bloomery/ports';
import type { MetricSources } from './metrics.ts';

/** What surrounds the requests of the API: bounds, audit log, metrics, health. */
export interface KubeSurface extends AsyncDisposable {
  readonly options: Pick<ApiHandlerOptions, 'gate' | 'observer' | 'health'> & Partial<Pick<ApiHandlerOptions, 'audit'>>;
  readonly sources: Omit<MetricSources, 'serversByPhase' | 'storeRevision'>;
}

export interface KubeSurfaceDeps {
  readonly dataDir: string;
  /** The audit log's file; undefined: there is none. */
  readonly auditLog: string | undefined;
  readonly store: Store;
  /** Parts that have not started yet. */
  readonly starting: ReadonlySet<string>;
  /** Aborts when the plane stops. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Parts of the plane that `/readyz` waits for. */
export const STARTED_PARTS = ['controllers', 'boot'] as const;

/** Open the audit log and make the counters and checks of the API. Disposing it writes what the audit log still holds. */
export function createKubeSurface(deps: KubeSurfaceDeps): KubeSurface {
  const { store, clock, log, starting, stopping } = deps;
  const gate = createRequestGate(clock);
  const metrics = createRequestMetrics();
  const audit = deps.auditLog === undefined ? undefined : openAuditLog({ file: deps.auditLog, clock, log });
  const load = (): RequestLoad => gate.load;
  return {
    options: {
      gate,
      observer: metrics.observer,
      health: [
        ...STARTED_PARTS.map((name) => ({
          name: `poststarthook/${name}`,
          onlyReady: true,
          problem: () => (starting.has(name) ? 'not finished' : undefined),
        })),
        {
          name: 'shutdown',
          onlyReady: true,
          problem: () => (stopping.aborted ? 'process is shutting down' : undefined),
        },
      ],
      ...(audit === undefined ? {} : { audit: (event) => audit.write(event) }),
    },
    sources: {
      storedObjects: () => new Map(store.resources().map((resource) => [resource, store.list(resource).length])),
      storeBytes: () => sizeOf(join(deps.dataDir, 'store.db')) + sizeOf(join(deps.dataDir, 'store.db-wal')),
      apiLoad: load,
      auditCounts: () => audit?.counts ?? { written: 0, lost: 0 },
      moreText: metrics.text,
    },
    async [Symbol.asyncDispose]() {
      await audit?.[Symbol.asyncDispose]();
    },
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
