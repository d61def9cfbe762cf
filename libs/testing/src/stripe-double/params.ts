import { badParameter, DoubleError } from './double-error.js';
import type { FormObject, FormValue } from './form-encoding.js';

/** Reads the parameters of one call and refuses, as Stripe does, those that it does not know. */
export class Params {
  constructor(
    readonly values: FormObject,
    private readonly path = '',
  ) {}

  allow(...names: readonly string[]): this {
    for (const name of Object.keys(this.values)) {
      if (names.includes(name) || name === 'expand') continue;
      throw new DoubleError({ status: 400, code: 'parameter_unknown', param: this.named(name), message: `Received unknown parameter: ${this.named(name)}` });
    }
    return this;
  }

  without(...names: readonly string[]): Params {
    return new Params(Object.fromEntries(Object.entries(this.values).filter(([name]) => !names.includes(name))), this.path);
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw badParameter(this.named(name), `Invalid string: ${this.named(name)}`);
    return value;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value !== undefined && value !== '') return value;
    throw new DoubleError({ status: 400, code: 'parameter_missing', param: this.named(name), message: `Missing required param: ${this.named(name)}.` });
  }

  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^-?\d{1,15}$/.test(value)) throw badParameter(this.named(name), `Invalid integer: ${value}`);
    return Number.parseInt(value, 10);
  }

  boolean(name: string): boolean | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (value !== 'true' && value !== 'false') throw badParameter(this.named(name), `Invalid boolean: ${value}`);
    return value === 'true';
  }

  choice(name: string, choices: readonly string[]): string | undefined {
    const value = this.text(name);
    if (value !== undefined && !choices.includes(value)) throw badParameter(this.named(name), `Invalid ${this.named(name)}: must be one of ${choices.join(', ')}`);
    return value;
  }

  nested(name: string): Params | undefined {
    const value = this.values[name];
    if (value === undefined || value === '') return undefined;
    return new Params(this.object(name, value), this.named(name));
  }

  list(name: string): Params[] | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw badParameter(this.named(name), `Invalid array: ${this.named(name)}`);
    return value.map((entry, index) => new Params(this.object(name, entry), `${this.named(name)}[${index}]`));
  }

  /** Undefined: not given. An empty value takes a key away, an empty `metadata` all of them. */
  metadata(before: Readonly<Record<string, string>>): Record<string, string> | undefined {
    const given = this.values['metadata'];
    if (given === undefined) return undefined;
    if (given === '') return {};
    const after = { ...before };
    for (const [key, value] of Object.entries(this.object('metadata', given))) {
      if (typeof value !== 'string' || key.length > 40 || value.length > 500) throw badParameter(`metadata[${key}]`, 'Metadata is text: keys up to 40 characters, values up to 500.');
      if (value === '') delete after[key];
      else after[key] = value;
    }
    if (Object.keys(after).length > 50) throw badParameter('metadata', 'You can have up to 50 metadata keys.');
    return after;
  }

  private object(name: string, value: FormValue): FormObject {
    if (typeof value === 'string' || Array.isArray(value)) throw badParameter(this.named(name), `Invalid object: ${this.named(name)}`);
    return value;
  }

  private named(name: string): string {
    return this.path === '' ? name : `${this.path}[${name}]`;
  }
}
