/** Tells the payment provider what the outbox holds. */
export const pushOutboxJob = { name: 'push-outbox', payload: {}, deduplicationId: 'push-outbox' } as const;
