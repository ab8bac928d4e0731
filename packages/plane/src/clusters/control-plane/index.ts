export { createTalosControlPlaneController, type TalosControlPlaneDeps } from './reconcile.ts';
