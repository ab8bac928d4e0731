import { textAnswer } from './answers.ts';
import type { ApiAnswer } from './api-request.ts';

/** One thing that `/healthz`, `/livez` and `/readyz` look at. */
export interface HealthCheck {
  readonly name: string;
  /** What is wrong, in a few words for people; undefined when all is well. Cheap: it is asked for each probe. */
  readonly problem: () => string | undefined;
  /** What a person should see although all is well; shown with `?verbose`. */
  readonly notice?: () => string | undefined;
  /** Only `/readyz` asks: the process is alive without it. */
  readonly onlyReady?: boolean;
}

const ROOTS: ReadonlySet<string> = new Set(['healthz', 'livez', 'readyz']);
const PING: HealthCheck = { name: 'ping', problem: () => undefined };

/** Whether a path is one of the health checks; `/healthz/` is none, as upstream. */
export function isHealthPath(path: string): boolean {
  const [, root = '', ...rest] = path.split('/');
  return ROOTS.has(root) && (rest.length === 0 || rest[0] !== '');
}

/** Answer `/readyz`, `/readyz?verbose&exclude=NAME` and `/readyz/NAME`; likewise livez and healthz. */
export function healthAnswer(path: string, query: URLSearchParams, checks: readonly HealthCheck[]): ApiAnswer {
  const [, root = '', ...rest] = path.split('/');
  const wanted = [PING, ...checks].filter(({ onlyReady }) => root === 'readyz' || onlyReady !== true);
  if (rest.length > 0) return oneAnswer(rest.join('/'), wanted);
  const excluded = new Set(query.getAll('exclude'));
  const lines: string[] = [];
  let failed = false;
  for (const { name, problem, notice } of wanted) {
    const found = excluded.has(name) ? undefined : problem();
    if (found !== undefined) failed = true;
    lines.push(excluded.has(name) ? `[+]${name} excluded: ok` : lineOf(name, found, notice?.()));
  }
  if (failed) return textAnswer(500, `${lines.join('\n')}\n${root} check failed\n`);
  return textAnswer(200, query.has('verbose') ? `${lines.join('\n')}\n${root} check passed\n` : 'ok');
}

function oneAnswer(name: string, checks: readonly HealthCheck[]): ApiAnswer {
  const check = checks.find((one) => one.name === name);
  if (check === undefined) return textAnswer(404, '404 page not found\n');
  const found = check.problem();
  return found === undefined ? textAnswer(200, 'ok') : textAnswer(500, `internal server error: ${found}\n`);
}

function lineOf(name: string, problem: string | undefined, notice: string | undefined): string {
  if (problem !== undefined) return `[-]${name} failed: ${problem}`;
  return notice === undefined ? `[+]${name} ok` : `[+]${name} ok: ${notice}`;
}
