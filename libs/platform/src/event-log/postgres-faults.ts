import { DatabaseError } from 'pg';

import { Fault } from '../errors/fault.js';

/** Connection, transaction rollback, locks, resources, operator intervention. */
const RETRYABLE_CLASSES = new Set(['08', '40', '53', '55', '57', '58']);
const READ_ONLY = '25006';

/** What went wrong with the store, as callers of the port see it. */
export function faultOfPostgres(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const detail = error instanceof Error ? error.message : String(error);
  if (isRetryable(error)) {
    return new Fault({ code: 'log_unavailable', detail: `The event log's database is not available: ${detail}`, retryable: true, cause: error });
  }
  return new Fault({ code: 'log_refused', detail: `The event log's database refused: ${detail}`, retryable: false, cause: error });
}

/** Whatever did not come from the server as an error with a state is a connection that failed. */
function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || RETRYABLE_CLASSES.has(state.slice(0, 2)) || state === READ_ONLY;
}

export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}
