import { build } from 'esbuild';

const REQUIRE = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`;

/** One JavaScript module out of an entry point and everything that it imports. Equal sources give equal text. */
export async function bundleProgram(entryPoint: string, workingDir: string): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [entryPoint],
    absWorkingDir: workingDir,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Packages in the older module form ask for `require`.
    banner: { js: REQUIRE },
    logLevel: 'silent',
  });
  const file = result.outputFiles[0];
  if (file === undefined) throw new TypeError(`bundling ${entryPoint} gave no output`);
  return file.contents;
}
