export const daysUntilDueDefault = 30;

/** When an issued invoice is to be paid: at once where it is collected automatically, else after so many local days of the customer. */
export function dueDate(options: {
  readonly issuedAt: Temporal.Instant;
  readonly collection: 'automatic' | 'send_invoice';
  readonly daysUntilDue: number | null;
  readonly timeZone: string;
}): Temporal.Instant {
  if (options.collection === 'automatic') return options.issuedAt;
  return options.issuedAt.toZonedDateTimeISO(options.timeZone).add({ days: options.daysUntilDue ?? daysUntilDueDefault }).toInstant();
}
