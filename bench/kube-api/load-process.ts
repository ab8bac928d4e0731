import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Target } from './connection.ts';

/** What a load process can be asked for. */
export type LoadJob =
  | { readonly do: 'connect'; readonly target: Target; readonly connections: number; readonly http2?: true }
  | { readonly do: 'create'; readonly count: number; readonly racks: number }
  | { readonly do: 'patch' | 'get'; readonly count: number; readonly objects: number }
  | { readonly do: 'contend'; readonly count: number }
  | { readonly do: 'list'; readonly query: string }
  | { readonly do: 'pages'; readonly limit: number }
  | { readonly do: 'deleteAll' }
  | { readonly do: 'watch'; readonly target: Target; readonly watchers: number; readonly resourceVersion: string }
  | { readonly do: 'unwatch'; readonly events: number };

/** The answer of a load process. */
export type LoadReply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: string };

/** A process that puts load on a server, so that the one that measures is not in its way. */
export interface LoadProcess {
  run<T>(job: LoadJob): Promise<T>;
  end(): void;
}

/** Start one. */
export function startLoadProcess(): LoadProcess {
  const child: ChildProcess = fork(join(import.meta.dirname, 'load-main.ts'), [], {
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=64'],
    serialization: 'advanced',
  });
  return {
    run: <T>(job: LoadJob) =>
      new Promise<T>((resolve, reject) => {
        const gone = (): void => reject(new Error(`the load process ended during ${job.do}`));
        child.once('exit', gone);
        child.once('message', (reply: LoadReply) => {
          child.off('exit', gone);
          if (reply.ok) resolve(reply.result as T);
          else reject(new Error(reply.error));
        });
        child.send(job);
      }),
    end: () => void child.kill('SIGKILL'),
  };
}
