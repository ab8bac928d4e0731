/**
 * Puts the command line and everything that it imports into a few files under build/. Half as many modules as there are sources cost
 * half of a daemon's memory and most of its start: `./bloomery` runs these as long as no source is newer than they are.
 * usage: bundle.ts [DIR [SOURCE…]]   into build/ unless another folder is named; further programs beside it
 */
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const [dir = join(root, 'build'), ...further] = process.argv.slice(2);
const out = resolve(dir);
const draft = `${out}.draft-${process.pid}`;
const begun = new Date();
rmSync(draft, { recursive: true, force: true });
mkdirSync(draft);
await build({
  absWorkingDir: root,
  entryPoints: {
    bloomery: 'packages/bloomery/src/main.ts',
    // Threads of their own begin here.
    'config-thread': 'packages/node/src/config/config-thread.ts',
    'datagram-worker': 'packages/node/src/dns/native/datagram-worker.ts',
    ...Object.fromEntries(further.map((source) => [basename(source, '.ts'), source])),
  },
  outdir: draft,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Whitespace only: stack traces keep their names.
  minifyWhitespace: true,
  minifySyntax: true,
  // Native parts are found beside their packages.
  external: ['koffi', 'netlink'],
  // Packages in the older module form ask for `require`.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});
// A source that was written meanwhile is newer than what was made of it.
utimesSync(join(draft, 'bloomery.mjs'), begun, begun);
rmSync(out, { recursive: true, force: true });
renameSync(draft, out);
