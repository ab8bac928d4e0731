export {
  startWorkloadApi,
  type WorkloadApi,
  type WorkloadApiDeps,
  type WorkloadApiOptions,
} from './start-workload-api.ts';
