export { createTalosConfigController, type TalosConfigDeps } from './reconcile-talos-config.ts';
