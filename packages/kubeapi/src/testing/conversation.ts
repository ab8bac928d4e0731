import assert from 'node:assert/strict';
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '@bloomery/model';
import { entryKey, named } from './stand-ins.ts';

/** One request of a recorded conversation. */
export interface ApiCall {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Sends a request to the server under test. */
export type ApiCaller = (call: ApiCall) => Promise<{ readonly code: number; readonly body: string }>;

/** One step of a case: a request and the answer that kube-apiserver gave. */
export interface Step {
  readonly method: string;
  readonly path: string;
  readonly body?: Json;
  /** Content type of the body, `application/json` unless given. */
  readonly type?: string;
  readonly accept?: string;
  /** Compare only code, reason and the set of cause fields. */
  readonly loose?: boolean;
  readonly expect: { readonly code: number; readonly body?: Json };
}

/** How vectors write the fresh namespace of a case. */
const NAMESPACE_PLACEHOLDER = '$' + '{NS}';

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Replays the steps of one case in one fresh namespace and compares every answer with the recorded one. */
export class Conversation {
  readonly #call: ApiCaller;
  readonly #namespace: string;
  readonly #uids = new Map<string, string>();
  readonly #versions = new Map<string, string>();

  constructor(call: ApiCaller, namespace: string) {
    this.#call = call;
    this.#namespace = namespace;
  }

  /** @throws AssertionError when an answer differs. */
  async replay(steps: readonly Step[]): Promise<void> {
    for (const [i, step] of steps.entries()) {
      const answer = await this.#call(this.#request(step));
      const body = this.#normalised(parsed(answer.body));
      const actual = { code: answer.code, body };
      const wanted = { code: step.expect.code, body: this.#sorted(step.expect.body ?? null) };
      try {
        compare(step, actual, wanted);
      } catch (error) {
        if (error instanceof Error) error.message = `step ${i}: ${step.method} ${step.path}\n${error.message}`;
        throw error;
      }
    }
  }

  #request(step: Step): ApiCall {
    const { body } = step;
    const text = body === undefined ? undefined : typeof body === 'string' ? body : stringifyJson(body);
    return {
      method: step.method,
      path: this.#filled(step.path),
      headers: {
        'user-agent': 'replay/1',
        accept: step.accept ?? 'application/json',
        ...(text === undefined ? {} : { 'content-type': step.type ?? 'application/json' }),
      },
      body: text === undefined ? undefined : this.#filled(text),
    };
  }

  /** `${NS}`, `${RV0}` and `${UID0}` replaced by what they stand for. */
  #filled(text: string): string {
    let filled = text.replaceAll(NAMESPACE_PLACEHOLDER, this.#namespace);
    for (const [real, name] of [...this.#versions, ...this.#uids]) filled = filled.replaceAll(`\${${name}}`, real);
    return filled;
  }

  #normalised(value: Json, key = ''): Json {
    if (Array.isArray(value)) return this.#list(value, key);
    if (isJsonObject(value)) {
      const dropped = key === 'columnDefinitions' ? 'description' : '';
      const members = Object.entries(value).filter(([name]) => name !== dropped);
      return Object.fromEntries(members.map(([name, member]) => [name, this.#normalised(member ?? null, name)]));
    }
    return typeof value === 'string' ? this.#text(value, key) : value;
  }

  #list(value: readonly Json[], key: string): readonly Json[] {
    const items = value.map((item) => this.#normalised(item, key));
    return key === 'managedFields' ? items.toSorted((a, b) => (entryKey(a) < entryKey(b) ? -1 : 1)) : items;
  }

  #text(value: string, key: string): string {
    if (key === 'uid') return named(this.#uids, value, 'UID');
    if (key === 'resourceVersion') return value === '' ? value : named(this.#versions, value, 'RV');
    if (TIME.test(value)) return 'TIME';
    let text = value.replaceAll(this.#namespace, NAMESPACE_PLACEHOLDER);
    for (const [real, name] of this.#uids) text = text.replaceAll(real, name);
    return text;
  }

  #sorted(value: Json, key = ''): Json {
    if (Array.isArray(value)) {
      const items = value.map((item: Json) => this.#sorted(item, key));
      return key === 'managedFields' ? items.toSorted((a, b) => (entryKey(a) < entryKey(b) ? -1 : 1)) : items;
    }
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, this.#sorted(member ?? null, name)]),
    );
  }
}

interface Answer {
  readonly code: number;
  readonly body: Json;
}

function compare(step: Step, actual: Answer, wanted: Answer): void {
  if (step.loose === true) assert.deepEqual(essence(actual), essence(wanted));
  else if (step.expect.body === undefined) assert.equal(actual.code, wanted.code);
  else assert.deepEqual(actual, wanted);
}

function parsed(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    // Not every answer is JSON (`404 page not found`): compare it as text.
    return text;
  }
}

function essence({ code, body }: Answer): JsonObject {
  const object = isJsonObject(body) ? body : {};
  const { details } = object;
  const causes = isJsonObject(details) && Array.isArray(details['causes']) ? details['causes'] : [];
  const fields = causes.map((cause: Json) => (isJsonObject(cause) ? String(cause['field'] ?? '') : ''));
  return { code, reason: object['reason'] ?? null, fields: [...new Set(fields)].sort() };
}
