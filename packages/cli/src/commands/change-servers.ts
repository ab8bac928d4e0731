import { type Server, server } from '@bloomery/model';
import { BloomeryError, errorText } from '@bloomery/ports';
import { exitCodeOf, usageError } from '../exit-code.ts';
import { resolveServer } from '../resolve-server.ts';
import type { Session } from '../session.ts';

/** Which servers a command is about. */
export interface ServersOptions {
  readonly selector?: string;
  readonly allUnaccepted?: boolean;
}

/** What was done to one server, for its line of output. */
export type ServerChange = (found: Server) => Promise<string>;

/**
 * The servers that were named, selected, or are not accepted.
 *
 * @throws BloomeryError BLM_CLI_USAGE without any of these, BLM_CLI_NAME_UNKNOWN
 */
export async function chooseServers(
  { client }: Session,
  names: readonly string[],
  options: ServersOptions,
): Promise<readonly Server[]> {
  if (names.length > 0) return Promise.all(names.map((name) => resolveServer(client, name)));
  if (options.selector === undefined && options.allUnaccepted !== true) throw usageError('no server is named');
  const { items } = await client.list(server, options.selector === undefined ? {} : { labels: options.selector });
  return options.allUnaccepted === true ? items.filter(({ spec }) => spec?.accepted !== true) : items;
}

/**
 * Do the same to each server, one line for each. One failure does not stop the others.
 *
 * @throws BloomeryError the only failure when nothing was done, BLM_CLI_PARTLY_DONE when some were.
 */
export async function changeServers(
  { deps }: Session,
  servers: readonly Server[],
  change: ServerChange,
  pauseMs = 0,
): Promise<void> {
  if (servers.length === 0) deps.stderr.write('No server fits.\n');
  const failures: unknown[] = [];
  for (const [i, found] of servers.entries()) {
    if (i > 0 && pauseMs > 0) await deps.clock.sleep(pauseMs, deps.signal);
    if (deps.signal.aborted)
      throw new BloomeryError('BLM_CLI_INTERRUPTED', `interrupted after ${i} of ${servers.length} servers`);
    const { name } = found.metadata;
    try {
      deps.stdout.write(`server/${name} ${await change(found)}\n`);
    } catch (error) {
      failures.push(error);
      if (servers.length > 1) deps.stderr.write(`server/${name} failed: ${errorText(error)}\n`);
    }
  }
  const [first] = failures;
  if (failures.length === 0) return;
  if (servers.length === 1) throw first;
  if (failures.length === servers.length && failures.every((e) => exitCodeOf(e) === exitCodeOf(first))) throw first;
  const message = `${failures.length} of ${servers.length} servers failed`;
  throw new BloomeryError('BLM_CLI_PARTLY_DONE', message, { facts: { failed: failures.length, of: servers.length } });
}
