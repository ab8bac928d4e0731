import type { KindRef } from '@bloomery/model';
import type { CliDeps } from './cli-deps.ts';
import type { Connection, ConnectionOptions } from './connection.ts';

/** Options of every command that talks to the manager. */
export interface SessionOptions extends ConnectionOptions {
  readonly namespace?: string;
}

/** A command's connection, namespace and outputs. */
export interface Session extends Connection {
  readonly deps: CliDeps;
  readonly namespace: string;
}

/**
 * Run a command with a connection that is closed afterwards. The connection's code is loaded only now: help and completion
 * start without it.
 */
export async function withSession<R>(
  options: SessionOptions,
  deps: CliDeps,
  run: (session: Session) => Promise<R>,
): Promise<R> {
  const { connect } = await import('./connection.ts');
  await using connection = await connect(options, deps.env);
  return await run({ ...connection, deps, namespace: options.namespace ?? connection.access.namespace });
}

/** The key of an object of this kind in the session's namespace. */
export function keyIn(
  session: Session,
  kind: KindRef,
  name: string,
): { readonly name: string; readonly namespace?: string } {
  return kind.scope === 'Cluster' ? { name } : { name, namespace: session.namespace };
}
