/** An expected "no". `Code` is the closed union of the use case that says it. */
export interface Refusal<Code extends string = string> {
  readonly ok: false;
  readonly code: Code;
  readonly detail: string;
  /** Every fault of the input, where the refusal is about input. */
  readonly errors?: readonly InputFault[];
  /** Further members of the problem: the state that stands in the way, and what may be done. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface Accepted<T> {
  readonly ok: true;
  readonly value: T;
}

export type Outcome<T, Code extends string = string> = Accepted<T> | Refusal<Code>;

/** One fault of an input; `pointer` is an RFC 6901 JSON pointer into the body. */
export interface InputFault {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

export function accepted<T>(value: T): Accepted<T> {
  return { ok: true, value };
}

export function refused<Code extends string>(code: Code, detail: string, errors?: readonly InputFault[]): Refusal<Code> {
  return errors === undefined ? { ok: false, code, detail } : { ok: false, code, detail, errors };
}
