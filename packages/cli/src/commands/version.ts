import { isJsonObject, parseJson } from '@bloomery/model';
import { errorText } from '@bloomery/ports';
import type { CliDeps } from '../cli-deps.ts';
import { type SessionOptions, withSession } from '../session.ts';

/** Options of `bloomery version`. */
export interface VersionOptions extends SessionOptions {
  readonly client?: boolean;
  readonly json?: boolean;
}

/** `bloomery version`: of this program, and of the manager when one can be reached. */
export async function version(deps: CliDeps, options: VersionOptions): Promise<void> {
  const own = { client: deps.version, node: process.version };
  const manager = options.client === true ? {} : await managerVersion(deps, options);
  if (options.json === true) {
    deps.stdout.write(`${JSON.stringify({ ...own, ...manager })}\n`);
    return;
  }
  deps.stdout.write(`bloomery  ${own.client}\nnode      ${own.node}\n`);
  if ('server' in manager) deps.stdout.write(`manager   ${manager.server}\n`);
  if ('unreachable' in manager) deps.stderr.write(`manager   not reached: ${manager.unreachable}\n`);
}

async function managerVersion(
  deps: CliDeps,
  options: VersionOptions,
): Promise<{ readonly server: string } | { readonly unreachable: string }> {
  try {
    return await withSession(options, deps, async ({ client }) => {
      const answer = parseJson(await client.transport.send({ method: 'GET', path: '/version', signal: deps.signal }));
      return { server: isJsonObject(answer) ? String(answer['gitVersion'] ?? 'unknown') : 'unknown' };
    });
  } catch (error) {
    return { unreachable: errorText(error) };
  }
}
