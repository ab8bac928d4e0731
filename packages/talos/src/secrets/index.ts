export * from './create-secrets-bundle.ts';
export * from './secrets-bundle.ts';
export * from './talosconfig.ts';
