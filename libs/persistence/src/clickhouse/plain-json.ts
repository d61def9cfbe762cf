const levelsMax = 32;
const digitsMax = 15;
const [quote, backslash, minus, dot, zero, nine, comma, colon, lowerE, mark] = [34, 92, 45, 46, 48, 57, 44, 58, 101, 0xe000];
const [openList, closeList, openObject, closeObject] = [91, 93, 123, 125];
const escapes = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)));
const words = ['true', 'false', 'null'];
const zeros = '000000';

/**
 * Whether a text is JSON that may be stored as it is: without blanks, with numbers that a float carries in plain digits, without `\u`
 * escapes and the mark of `numberMark`. False for whatever else, JSON or not; JSON.parse takes three times as long to say so.
 */
export function isPlainJson(text: string): boolean {
  return new PlainJson(text).isWhole();
}

/** Each method reads from where the one before ended, and is false where what stands there is not plain. */
class PlainJson {
  private at = 0;
  private level = 0;

  constructor(private readonly text: string) {}

  isWhole(): boolean {
    return this.value() && this.at === this.text.length;
  }

  private value(): boolean {
    const code = this.text.charCodeAt(this.at);
    if (code === quote) return this.string();
    if (code === openObject) return this.list(closeObject, true);
    if (code === openList) return this.list(closeList, false);
    if (code === minus || (code >= zero && code <= nine)) return this.number();
    const word = words.find((each) => this.text.startsWith(each, this.at));
    this.at += word?.length ?? 0;
    return word !== undefined;
  }

  private string(): boolean {
    if (this.text.charCodeAt(this.at) !== quote) return false;
    for (let at = this.at + 1; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at);
      if (code === quote) {
        this.at = at + 1;
        return true;
      }
      if (code < 32 || code === mark) return false;
      if (code === backslash && !escapes.has(this.text.charCodeAt((at += 1)))) return false;
    }
    return false;
  }

  private number(): boolean {
    if (this.text.charCodeAt(this.at) === minus) this.at += 1;
    const start = this.at;
    const whole = this.digits();
    if (whole === 0 || (whole > 1 && this.text.charCodeAt(start) === zero)) return false;
    if (this.text.charCodeAt(this.at) === dot) {
      this.at += 1;
      if (this.text.startsWith(zeros, this.at) || this.digits() === 0) return false;
    }
    return this.at - start <= digitsMax && (this.text.charCodeAt(this.at) | 32) !== lowerE;
  }

  /** How many there were. */
  private digits(): number {
    const start = this.at;
    for (let code = this.text.charCodeAt(this.at); code >= zero && code <= nine; code = this.text.charCodeAt(this.at)) this.at += 1;
    return this.at - start;
  }

  /** Items, or members, between what opens them and what closes them. */
  private list(close: number, hasNames: boolean): boolean {
    this.level += 1;
    if (this.level > levelsMax) return false;
    this.at += 1;
    if (this.text.charCodeAt(this.at) !== close) {
      while (true) {
        if (hasNames && !(this.string() && this.text.charCodeAt(this.at++) === colon)) return false;
        if (!this.value()) return false;
        if (this.text.charCodeAt(this.at) === close) break;
        if (this.text.charCodeAt(this.at++) !== comma) return false;
      }
    }
    this.at += 1;
    this.level -= 1;
    return true;
  }
}
