/** The Talos version that is told: what this daemon behaves like. */
export const TALOS_VERSION = 'v1.13.9';
