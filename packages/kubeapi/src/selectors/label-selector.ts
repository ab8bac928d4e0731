import { MAX_SELECTOR_LENGTH, type ParsedSelector } from './selector-error.ts';

/** One condition of a label selector. `values` is empty for exists and absent. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';
  readonly values: readonly string[];
}

/** All conditions must hold; an empty list matches everything. */
export type LabelSelector = readonly LabelRequirement[];

type Labels = { readonly [name: string]: unknown };

const TOKEN = /\s*(?:(,|\(|\)|==|=|!=|!|>|<)|([^\s,()=!<>]+))/y;
const KEY_NAME = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)$/;
const KEY_PREFIX = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

/** Thrown inside this file only. */
class BadSelector extends Error {}

/** What stands between requirements is wrong: kube-apiserver does not call that a requirement. */
class BadList extends BadSelector {}

/**
 * Parse a label selector: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, `a>1`, `a<1`, joined by commas.
 *
 * @param text at most 64 KiB; '' selects everything.
 */
export function parseLabelSelector(text: string): ParsedSelector<LabelSelector> {
  try {
    return { ok: true, selector: new Parser(text).selector() };
  } catch (error) {
    if (!(error instanceof BadSelector)) throw error;
    const what = error instanceof BadList ? '' : 'unable to parse requirement: ';
    return { ok: false, message: `${what}${error.message}` };
  }
}

/** Whether the labels of an object satisfy all conditions. `!=` and `notin` match objects without the label. */
export function matchesLabels(selector: LabelSelector, labels: Labels | undefined): boolean {
  return selector.every((requirement) => holds(requirement, labels));
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  if (typeof value !== 'string') return operator === 'notin' || operator === 'absent';
  switch (operator) {
    case 'in':
      return values.includes(value);
    case 'notin':
      return !values.includes(value);
    case 'exists':
      return true;
    case 'absent':
      return false;
    case 'gt':
    case 'lt': {
      const [bound = ''] = values;
      if (!/^-?\d+$/.test(value)) return false;
      return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
  }
}

class Parser {
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  selector(): LabelSelector {
    const requirements: LabelRequirement[] = [];
    if (this.#tokens.length === 0) return requirements;
    const first = this.#peek() ?? '';
    if (isSymbol(first) && first !== '!')
      throw new BadList(`found '${first}', expected: !, identifier, or 'end of string'`);
    requirements.push(this.#requirement());
    while (this.#take(',')) {
      const next = this.#peek() ?? '';
      if (next === '' || (isSymbol(next) && next !== '!'))
        throw new BadList(`found '${next}', expected: identifier after ','`);
      requirements.push(this.#requirement());
    }
    if (this.#next < this.#tokens.length)
      throw new BadList(`found '${this.#peek()}', expected: ',' or 'end of string'`);
    return requirements;
  }

  #requirement(): LabelRequirement {
    if (this.#take('!')) return { key: this.#key(), operator: 'absent', values: [] };
    const key = this.#key();
    const operator = this.#peek();
    if (operator === undefined || operator === ',') return { key, operator: 'exists', values: [] };
    this.#next++;
    switch (operator) {
      case '=':
      case '==':
        return { key, operator: 'in', values: [this.#value()] };
      case '!=':
        return { key, operator: 'notin', values: [this.#value()] };
      case 'in':
      case 'notin':
        return { key, operator, values: this.#values() };
      case '>':
      case '<':
        return { key, operator: operator === '>' ? 'gt' : 'lt', values: [this.#integer()] };
      default:
        throw new BadSelector(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #key(): string {
    const key = this.#tokens[this.#next++];
    if (key === undefined || isSymbol(key)) throw new BadSelector(`found '${key ?? ''}', expected: identifier`);
    const slash = key.lastIndexOf('/');
    const name = key.slice(slash + 1);
    const prefix = slash < 0 ? undefined : key.slice(0, slash);
    const named = name.length <= 63 && KEY_NAME.test(name);
    if (!named || (prefix !== undefined && (prefix.length > 253 || !KEY_PREFIX.test(prefix)))) {
      throw new BadSelector(
        `<nil>: Invalid value: ${JSON.stringify(key)}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      );
    }
    return key;
  }

  /** A value; absent before a comma or the end, which means the empty value. */
  #value(): string {
    const value = this.#peek();
    if (value === undefined || value === ',' || value === ')') return '';
    this.#next++;
    if (isSymbol(value)) throw new BadSelector(`found '${value}', expected: identifier`);
    if (value.length > 63 || !VALUE.test(value)) {
      throw new BadSelector(
        `values[0]: Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      );
    }
    return value;
  }

  #values(): readonly string[] {
    if (!this.#take('(')) throw new BadSelector(`found '${this.#peek() ?? ''}' expected: '('`);
    const values = [this.#value()];
    while (this.#take(',')) values.push(this.#value());
    if (!this.#take(')')) throw new BadSelector(`found '${this.#peek() ?? ''}', expected: ',' or ')'`);
    return values;
  }

  #integer(): string {
    const value = this.#value();
    if (!/^-?\d{1,18}$/.test(value))
      throw new BadSelector(
        `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      );
    return value;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #take(symbol: string): boolean {
    if (this.#peek() !== symbol) return false;
    this.#next++;
    return true;
  }
}

function isSymbol(token: string): boolean {
  return /^[,()=!<>]/.test(token);
}

function tokenize(text: string): readonly string[] {
  if (text.length > MAX_SELECTOR_LENGTH) throw new BadSelector('the selector is too long');
  const trimmed = text.trim();
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const [, symbol, word] = TOKEN.exec(trimmed) ?? [];
    const token = symbol ?? word;
    if (token === undefined) throw new BadSelector('unexpected end');
    tokens.push(token);
  }
  return tokens;
}
