export { type KubeApiserver, missingPeers, startKubeApiserver } from './conformance/kube-apiserver.ts';
export type { Target } from './conformance/target.ts';
