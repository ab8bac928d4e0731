export type { FinalConfig } from './change-in-place.ts';
export { createTalosControlPlaneController, type TalosControlPlaneDeps } from './reconcile.ts';
