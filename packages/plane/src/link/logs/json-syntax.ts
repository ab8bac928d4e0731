/** Containers in containers; more is refused as malformed. */
export const MAX_DEPTH = 1000;

/** What `JsonSyntax.read` says when the value does not end within the bytes. */
export const UNFINISHED = -1;

const VALUE = 0;
const FIRST_VALUE = 1;
const FIRST_KEY = 2;
const KEY = 3;
const COLON = 4;
const AFTER = 5;
const STRING = 6;
const ESCAPE = 7;
const HEX = 8;
const LITERAL = 9;
const MINUS = 10;
const ZERO = 11;
const INTEGER = 12;
const POINT = 13;
const FRACTION = 14;
const EXPONENT_MARK = 15;
const EXPONENT_SIGN = 16;
const EXPONENT = 17;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Finds the end of one JSON object, byte by byte and across chunks, and the first byte that cannot be in one. Every byte is
 * looked at once; memory is one flag for each open container.
 *
 * @see RFC 8259. Bytes above 0x7f are allowed in strings without being looked at.
 */
export class JsonSyntax {
  #state = VALUE;
  /** For each open container whether it is an array. */
  readonly #open: boolean[] = [];
  #isKey = false;
  #left = 0;
  #literal = '';
  /** Where the byte was that cannot be: set when `read` returned undefined. */
  badAt = 0;

  /** Begin anew. The next byte must be `{`. */
  reset(): void {
    this.#state = VALUE;
    this.#open.length = 0;
  }

  /**
   * Read on.
   *
   * @returns The index behind the object's last byte, UNFINISHED when it is not in these bytes, or undefined for a byte that
   * cannot be there: its index is `badAt`.
   */
  read(bytes: Uint8Array, from: number, to: number): number | undefined {
    let at = from;
    while (at < to) {
      if (this.#state === STRING) at = this.#readString(bytes, at, to);
      else {
        const byte = bytes[at] ?? 0;
        if (!this.#take(byte)) break;
        at += 1;
        if (this.#open.length === 0) return at;
      }
      if (at < 0) {
        this.badAt = -at - 1;
        return undefined;
      }
    }
    if (at >= to) return UNFINISHED;
    this.badAt = at;
    return undefined;
  }

  /** The index behind what of the string is here, or -1 - the index of a control character. */
  #readString(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.#state = this.#isKey ? COLON : AFTER;
        return at + 1;
      }
      if (byte === BACKSLASH) {
        this.#state = ESCAPE;
        return at + 1;
      }
      if (byte < 0x20) return -1 - at;
    }
    return to;
  }

  /** Take one byte outside of plain text of strings; false when it cannot be there. */
  #take(byte: number): boolean {
    const state = this.#state;
    if (state >= MINUS) return this.#takeInNumber(byte);
    if (state === ESCAPE) return this.#takeEscape(byte);
    if (state === HEX) return this.#takeHex(byte);
    if (state === LITERAL) return this.#takeLiteral(byte);
    if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d && byte !== 0x0b && byte !== 0x0c)) return true;
    switch (state) {
      case AFTER:
        return this.#takeAfterValue(byte);
      case COLON:
        this.#state = VALUE;
        return byte === 0x3a;
      case FIRST_KEY:
        return byte === CLOSE_BRACE ? this.#close(false) : this.#beginKey(byte);
      case KEY:
        return this.#beginKey(byte);
      case FIRST_VALUE:
        return byte === CLOSE_BRACKET ? this.#close(true) : this.#beginValue(byte);
      default:
        return this.#beginValue(byte);
    }
  }

  #takeAfterValue(byte: number): boolean {
    const isArray = this.#open[this.#open.length - 1] === true;
    if (byte === COMMA) {
      this.#state = isArray ? VALUE : KEY;
      return true;
    }
    return byte === (isArray ? CLOSE_BRACKET : CLOSE_BRACE) && this.#close(isArray);
  }

  #close(isArray: boolean): boolean {
    if (this.#open.pop() !== isArray) return false;
    this.#state = AFTER;
    return true;
  }

  #beginKey(byte: number): boolean {
    this.#isKey = true;
    this.#state = STRING;
    return byte === QUOTE;
  }

  #beginValue(byte: number): boolean {
    if (byte === QUOTE) {
      this.#isKey = false;
      this.#state = STRING;
      return true;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const isArray = byte === OPEN_BRACKET;
      this.#state = isArray ? FIRST_VALUE : FIRST_KEY;
      return this.#open.push(isArray) <= MAX_DEPTH;
    }
    if (byte === 0x2d) this.#state = MINUS;
    else if (byte === 0x30) this.#state = ZERO;
    else if (isDigit(byte)) this.#state = INTEGER;
    else return this.#beginLiteral(byte);
    return true;
  }

  #beginLiteral(byte: number): boolean {
    const literal = byte === 0x74 ? 'true' : byte === 0x66 ? 'false' : 'null';
    this.#state = LITERAL;
    this.#literal = literal;
    this.#left = literal.length - 1;
    return byte === literal.charCodeAt(0);
  }

  #takeLiteral(byte: number): boolean {
    const wanted = this.#literal.charCodeAt(this.#literal.length - this.#left);
    this.#left -= 1;
    if (this.#left === 0) this.#state = AFTER;
    return byte === wanted;
  }

  #takeEscape(byte: number): boolean {
    if (byte === 0x75) {
      this.#state = HEX;
      this.#left = 4;
      return true;
    }
    this.#state = STRING;
    return ESCAPED.has(byte);
  }

  #takeHex(byte: number): boolean {
    this.#left -= 1;
    if (this.#left === 0) this.#state = STRING;
    const lower = byte | 0x20;
    return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
  }

  /** A number ends with the first byte that is not of it, which is then taken as what follows a value. */
  #takeInNumber(byte: number): boolean {
    const next = afterNumberByte(this.#state, byte);
    if (next === AFTER) {
      this.#state = AFTER;
      return this.#take(byte);
    }
    this.#state = next;
    return next !== VALUE;
  }
}

const ESCAPED: ReadonlySet<number> = new Set([...'"\\/bfnrt'].map((char) => char.charCodeAt(0)));

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** The state behind a byte in a number; AFTER when the number has ended before it, VALUE when it cannot be there. */
function afterNumberByte(state: number, byte: number): number {
  const isMark = (byte | 0x20) === 0x65;
  switch (state) {
    case MINUS:
      return byte === 0x30 ? ZERO : isDigit(byte) ? INTEGER : VALUE;
    case ZERO:
    case INTEGER:
      if (state === INTEGER && isDigit(byte)) return INTEGER;
      return byte === 0x2e ? POINT : isMark ? EXPONENT_MARK : AFTER;
    case POINT:
      return isDigit(byte) ? FRACTION : VALUE;
    case FRACTION:
      return isDigit(byte) ? FRACTION : isMark ? EXPONENT_MARK : AFTER;
    case EXPONENT_MARK:
      return byte === 0x2b || byte === 0x2d ? EXPONENT_SIGN : isDigit(byte) ? EXPONENT : VALUE;
    case EXPONENT_SIGN:
      return isDigit(byte) ? EXPONENT : VALUE;
    default:
      return isDigit(byte) ? EXPONENT : AFTER;
  }
}
