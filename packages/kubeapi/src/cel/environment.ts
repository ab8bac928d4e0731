import { Environment } from '@marcbachmann/cel-js';
import { definerOf } from './library.ts';
import { addressLibrary } from './library-addresses.ts';
import { conversionLibrary } from './library-conversions.ts';
import { formatLibrary } from './library-formats.ts';
import { listLibrary } from './library-lists.ts';
import { patternLibrary } from './library-patterns.ts';
import { quantityLibrary } from './library-quantity.ts';
import { semverLibrary } from './library-semver.ts';
import { stringLibrary } from './library-strings.ts';
import { urlLibrary } from './library-urls.ts';
import { macroLibrary } from './macros.ts';

const LIBRARIES = [
  macroLibrary,
  conversionLibrary,
  stringLibrary,
  patternLibrary,
  listLibrary,
  formatLibrary,
  urlLibrary,
  quantityLibrary,
  addressLibrary,
  semverLibrary,
];

let base: Environment | undefined;

/** A fresh environment with Kubernetes' libraries, to declare types and variables in. The libraries are set up once. */
export function kubernetesEnvironment(): Environment {
  base ??= withLibraries();
  return base.clone();
}

function withLibraries(): Environment {
  const env = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 20_000, maxDepth: 100 },
  });
  const define = definerOf(env);
  for (const library of LIBRARIES) library(define, env);
  return env;
}

/** Names of all functions, to tell an unknown one from one that is called with other types. */
export function isKnownFunction(env: Environment, name: string): boolean {
  return env.getDefinitions().functions.some((known) => known.name === name || known.name === `k_${name}`);
}
