/** Under which names our ids stand in Stripe's metadata. Objects are found by them, so the names never change. */
export const metadataKeys = { document: 'tollway_invoice', party: 'tollway_customer', line: 'tollway_line' } as const;
