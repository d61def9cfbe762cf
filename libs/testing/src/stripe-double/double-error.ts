/** An answer of Stripe that is not a success, in Stripe's shape. */
export class DoubleError extends Error {
  readonly status: number;
  readonly body: { error: Record<string, string | null> };
  /** Stripe keeps what a call answered once it ran. What was refused before that (bad parameters, a conflict) leaves the key unused. */
  readonly keptUnderKey: boolean;

  constructor(options: { status: number; type?: string; code?: string; message: string; param?: string; declineCode?: string; keptUnderKey?: boolean }) {
    super(options.message);
    this.status = options.status;
    this.keptUnderKey = options.keptUnderKey ?? false;
    const error: Record<string, string | null> = { type: options.type ?? 'invalid_request_error', message: options.message };
    if (options.code !== undefined) error['code'] = options.code;
    if (options.param !== undefined) error['param'] = options.param;
    if (options.declineCode !== undefined) error['decline_code'] = options.declineCode;
    this.body = { error };
  }
}

export function badParameter(param: string, message: string): DoubleError {
  return new DoubleError({ status: 400, code: 'parameter_invalid', param, message });
}

export function noSuch(what: string, id: string): DoubleError {
  return new DoubleError({ status: 404, code: 'resource_missing', param: 'id', message: `No such ${what}: '${id}'` });
}

export function notEditable(message: string): DoubleError {
  return new DoubleError({ status: 400, code: 'invoice_not_editable', message, keptUnderKey: true });
}
