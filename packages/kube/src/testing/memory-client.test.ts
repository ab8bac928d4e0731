import { describe, it } from 'node:test';
import { createMemoryClient } from './memory-client.ts';
import { objectClientConformance } from './object-client-conformance.ts';

describe('the in-memory client', () => {
  for (const { name, run } of objectClientConformance(() => createMemoryClient())) it(name, run);
});
