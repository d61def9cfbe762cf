export { systemClock } from './clock/clock.js';
export type { Clock } from './clock/clock.js';
export { assert, AssertionFailed } from './errors/assert.js';
export { Fault } from './errors/fault.js';
export { accepted, refused } from './errors/refusal.js';
export type { Accepted, InputFault, Outcome, Refusal } from './errors/refusal.js';
export type { EventLog, LogBatch, LogPosition, LogRecord, NewLogRecord, SubscribeOptions, Subscription } from './event-log/event-log.js';
export type { Job, JobQueue, NewJob, WorkOptions } from './jobs/job-queue.js';
