import { randomBytes } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '@bloomery/model';
import { until } from '@bloomery/ports';
import { type Connection, type Headers, openStream, type RawAnswer, rawRequest } from './api-client.ts';
import { Normaliser } from './normaliser.ts';
import { type KubectlRun, runKubectl } from './run-kubectl.ts';
import type { Target } from './target.ts';
import { type WatchEvent, WatchReader } from './watch-reader.ts';

/** One line of a recording: what was done and what came of it. */
export type Step = JsonObject;

/** An answer as a case works with it. */
export interface Answer {
  readonly code: number;
  readonly headers: Headers;
  /** {} when the answer is no JSON object. */
  readonly body: JsonObject;
  readonly text: string;
}

/** What of an answer is recorded: all, the code, the gist of a Status (code, reason, cause fields), or what a function picks. */
export type Look = 'all' | 'code' | 'gist' | ((body: JsonObject, answer: Answer) => Json);

/** How to call. */
export interface CallOptions {
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Headers;
  readonly look?: Look;
  /** As another user than the administrator: a connection's credentials, or {} for nobody. */
  readonly as?: Partial<Connection>;
}

type Body = Json | Uint8Array | undefined;

/** The run of one case against one target: it calls, and keeps a recording of what must be the same everywhere. */
export class Session {
  /** A namespace of this case alone, and a prefix for names of cluster-scoped objects and groups. */
  readonly ns = `c-${randomBytes(5).toString('hex').replace(/^\d/, 'a')}`;
  readonly target: Target;
  readonly steps: Step[] = [];
  readonly #normaliser: Normaliser;
  readonly #watches: WatchReader[] = [];

  constructor(target: Target) {
    this.target = target;
    this.#normaliser = new Normaliser(this.ns, target.url);
  }

  /** Path of namespaced objects of the core group in the case's namespace. */
  core(rest: string): string {
    return `/api/v1/namespaces/${this.ns}/${rest}`;
  }

  /** Path of namespaced objects of another group in the case's namespace. */
  api(groupVersion: string, rest: string): string {
    return `/apis/${groupVersion}/namespaces/${this.ns}/${rest}`;
  }

  readonly get = (path: string, options?: CallOptions) => this.call('GET', path, undefined, options);
  readonly post = (path: string, body: Body, options?: CallOptions) => this.call('POST', path, body, options);
  readonly put = (path: string, body: Body, options?: CallOptions) => this.call('PUT', path, body, options);
  readonly delete = (path: string, body?: Body, options?: CallOptions) => this.call('DELETE', path, body, options);
  /** A merge patch unless `type` says another. */
  readonly patch = (path: string, body: Body, options?: CallOptions) =>
    this.call('PATCH', path, body, { type: 'application/merge-patch+json', ...options });
  /** Server-side apply. */
  readonly apply = (path: string, manager: string, body: Body, options?: CallOptions & { readonly force?: boolean }) =>
    this.call(
      'PATCH',
      `${path}${path.includes('?') ? '&' : '?'}fieldManager=${manager}${options?.force === true ? '&force=true' : ''}`,
      body,
      { type: 'application/apply-patch+yaml', ...options },
    );

  /** A call whose answer is recorded. */
  async call(method: string, path: string, body?: Body, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.quiet(method, path, body, options);
    this.steps.push({ call: this.#normaliser.path(`${method} ${path}`), ...this.#recorded(answer, options.look) });
    return answer;
  }

  /** A call that leaves no trace: preparation, or asking until something is so. */
  async quiet(method: string, path: string, body?: Body, options: CallOptions = {}): Promise<Answer> {
    const headers = {
      accept: options.accept ?? 'application/json',
      ...(body === undefined ? {} : { 'content-type': options.type ?? 'application/json' }),
      ...options.headers,
    };
    const sent =
      body === undefined || body instanceof Uint8Array || typeof body === 'string' ? body : stringifyJson(body);
    const raw = await rawRequest(this.#connection(options), method, path, {
      headers,
      ...(sent === undefined ? {} : { body: sent }),
    });
    return answerOf(raw);
  }

  /** A quiet call that must succeed. @throws Error when it does not. */
  async must(method: string, path: string, body?: Body, options?: CallOptions): Promise<JsonObject> {
    const answer = await this.quiet(method, path, body, options);
    if (answer.code >= 300) throw new Error(`${this.target.name}: ${method} ${path}: ${answer.code} ${answer.text}`);
    return answer.body;
  }

  /** Open a watch; its events are recorded where they are taken. */
  async watch(path: string, options: { readonly look?: (event: WatchEvent) => Json; readonly accept?: string } = {}) {
    const headers = { accept: options.accept ?? 'application/json' };
    const response = await openStream(this.#connection({}), path, headers);
    const reader = new WatchReader(response, (taken, ended) => {
      const events = taken.map((event) => this.#normaliser.json(options.look?.(event) ?? { ...event }));
      this.steps.push({
        watch: this.#normaliser.path(path),
        code: response.statusCode ?? 0,
        events,
        ...(ended ? { ended } : {}),
      });
    });
    this.#watches.push(reader);
    return reader;
  }

  /** Ask until the answer is as wanted, without recording. */
  async eventually(what: string, path: string, wanted: (answer: Answer) => boolean): Promise<Answer> {
    return until(`${this.target.name}: ${what}`, async () => {
      const answer = await this.quiet('GET', path);
      return wanted(answer) ? answer : undefined;
    });
  }

  /** Record a fact. */
  note(label: string, value: Json): void {
    this.steps.push({ note: label, value: this.#normaliser.json(value) });
  }

  /** Run a kubectl in the case's namespace; what it prints is recorded unless `quiet`. */
  async kubectl(
    args: readonly string[],
    options: { readonly input?: string; readonly old?: boolean; readonly quiet?: boolean } = {},
  ): Promise<KubectlRun> {
    const run = await runKubectl(this.target, ['--namespace', this.ns, ...args], options);
    if (options.quiet !== true) {
      const text = (lines: string): string[] => this.#normaliser.columns(lines).split('\n').filter(Boolean);
      const { code } = run;
      const said = { stdout: text(run.stdout), stderr: text(run.stderr) };
      this.steps.push({ kubectl: this.#normaliser.text(args.join(' ')), code, ...said });
    }
    return run;
  }

  /** Make the case's namespace, and wait for what controllers put into it: no webhook or watch of a case shall see that come. */
  async open(): Promise<void> {
    await this.must('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.ns } });
    for (const path of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt']) {
      await this.eventually(`${path} of a new namespace`, this.core(path), ({ code }) => code === 200);
    }
  }

  /** End what still runs. */
  close(): void {
    for (const watch of this.#watches) watch.close();
  }

  #connection(options: CallOptions): Connection {
    const { url, caPem, admin } = this.target;
    return { url, caPem, ...(options.as ?? admin) };
  }

  #recorded(answer: Answer, look: Look = 'all'): JsonObject {
    const { code } = answer;
    if (look === 'code') return { code };
    if (look === 'gist') return { code, body: this.#normaliser.json(gist(answer.body)) };
    if (typeof look === 'function') return { code, body: this.#normaliser.json(look(answer.body, answer)) };
    const type = answer.headers['content-type'] ?? '';
    const warnings = answer.headers['warning'];
    return {
      code,
      ...(type === 'application/json' ? {} : { type }),
      ...(warnings === undefined ? {} : { warnings: this.#normaliser.json(warnings.split('\n')) }),
      body: this.#normaliser.json(Object.keys(answer.body).length > 0 ? answer.body : answer.text),
    };
  }
}

function answerOf({ code, headers, text }: RawAnswer): Answer {
  let parsed: Json = {};
  try {
    parsed = parseJson(text);
  } catch {
    // Not every answer is JSON.
  }
  return { code, headers, text, body: isJsonObject(parsed) ? parsed : {} };
}

function gist(body: JsonObject): JsonObject {
  const { details } = body;
  const causes = isJsonObject(details) && Array.isArray(details['causes']) ? details['causes'] : [];
  const fields = causes.map((cause: Json) => (isJsonObject(cause) ? String(cause['field'] ?? '') : ''));
  return { reason: body['reason'] ?? null, fields: [...new Set(fields)].sort() };
}
