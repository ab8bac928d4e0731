export { goBoolean, goFloat, goInteger, kubeScalar, talosScalar } from './go-scalars.ts';
export * from './read-yaml.ts';
export * from './write-yaml.ts';
export * from './yaml-tree.ts';
