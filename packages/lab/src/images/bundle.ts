import { build } from 'esbuild';

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
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'silent',
  });
  const file = result.outputFiles[0];
  if (file === undefined) throw new TypeError(`bundling ${entryPoint} gave no output`);
  return file.contents;
}
