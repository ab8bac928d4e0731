import { labelValueTexts, qualifiedNameTexts } from '../schema/name-texts.ts';
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
        return { key, operator: 'in', values: [this.#value(key)] };
      case '!=':
        return { key, operator: 'notin', values: [this.#value(key)] };
      case 'in':
      case 'notin':
        return { key, operator, values: this.#values(key) };
      case '>':
      case '<':
        return { key, operator: operator === '>' ? 'gt' : 'lt', values: [this.#integer(key)] };
      default:
        throw new BadSelector(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #key(): string {
    const key = this.#tokens[this.#next++];
    if (key === undefined || isSymbol(key)) throw new BadSelector(`found '${key ?? ''}', expected: identifier`);
    const [why] = qualifiedNameTexts(key);
    if (why !== undefined) throw new BadSelector(`<nil>: Invalid value: ${JSON.stringify(key)}: ${why}`);
    return key;
  }

  /** A value; absent before a comma or the end, which means the empty value. */
  #value(key: string, at = 0): string {
    const value = this.#peek();
    if (value === undefined || value === ',' || value === ')') return '';
    this.#next++;
    if (isSymbol(value)) throw new BadSelector(`found '${value}', expected: identifier`);
    const [why] = labelValueTexts(value);
    if (why !== undefined)
      throw new BadSelector(`values[${at}][${key}]: Invalid value: ${JSON.stringify(value)}: ${why}`);
    return value;
  }

  #values(key: string): readonly string[] {
    if (!this.#take('(')) throw new BadSelector(`found '${this.#peek() ?? ''}' expected: '('`);
    const values = [this.#value(key)];
    while (this.#take(',')) values.push(this.#value(key, values.length));
    if (!this.#take(')')) throw new BadSelector(`found '${this.#peek() ?? ''}', expected: ',' or ')'`);
    return values;
  }

  #integer(key: string): string {
    const value = this.#value(key);
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
