import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { eventBillingQuerySchema, eventBillingSchema, toLineAddOn, type EventBillingBody } from '#contracts';
import { formatMinor } from '#domain';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import type { BilledChange, BilledEntry } from '../event-history.js';
import { FindEventBilling, type EventBilling, type EventBillingCode, type PriceBilling } from '../find-event-billing.js';

const statuses: Readonly<Record<EventBillingCode, number>> = { not_found: 404 };
const defaultSource = 'default';

@ApiTags('events')
@Controller()
export class EventBillingController {
  constructor(@Inject(FindEventBilling) private readonly findBilling: FindEventBilling) {}

  @Get('v1/events/:id/billing')
  @RequiredScope('invoices:read')
  @ApiOperation({
    summary: 'Tell which documents bear an event',
    description: 'The invoice and line that billed it, and for what came late, was amended, voided or moved: the document that settled that, or what was absorbed. What no document bears yet is pending. Reads the usage of its very instant as each document had it.',
  })
  @Answers({ schema: eventBillingSchema, problems: [404, 422] })
  async billing(@CurrentPrincipal() { organizationId }: Principal, @Param('id') id: string, @Query({ schema: eventBillingQuerySchema }) query: z.infer<typeof eventBillingQuerySchema>): Promise<EventBillingBody> {
    return toBody(valueOrProblem(await this.findBilling.execute({ organizationId, id, source: query.source ?? defaultSource }), statuses));
  }
}

function toBody({ event, billings }: EventBilling): EventBillingBody {
  const data = billings.flatMap((billing) => billing.entries.map((entry) => toEntry(billing, entry)));
  return { object: 'event_billing', event_id: event.id, event_source: event.source, type: event.type, subject: event.subject, time: event.time, data, detail: detailOf(data) };
}

function detailOf(data: EventBillingBody['data']): string {
  if (data.length === 0) return 'No line: no usage price counts it in a billing period of the customer whose subject it has. The list of events says by which meters it is counted, or why not.';
  if (data.some(({ state }) => state === 'unknown')) return 'A period was invoiced before the usage of lines was kept: what its documents bear is not known.';
  const open = data.filter(({ state, pending }) => state === 'open' && pending !== null).length;
  return open === 0 ? 'All that was counted of it stands on documents, or was absorbed.' : `${open} of ${data.length} wait for a document; what is late is settled by the next one, where it changes an amount.`;
}

function toEntry({ period, price, addOn }: PriceBilling, { group, state, value, documents, pending }: BilledEntry): EventBillingBody['data'][number] {
  const { subscription, plan, billing } = period;
  const { currency } = subscription;
  return {
    customer: subscription.customerId, subscription: subscription.id, plan: plan.planId, plan_version: plan.version, price: price.id, price_key: price.key, add_on: toLineAddOn(addOn), group: { ...group },
    period: { start: billing.period.start.toString(), end: billing.period.end.toString() }, currency, state, value,
    documents: documents.map((document) => toDocument(document, currency)),
    pending: pending === null ? null : { change: pending.change, value: pending.value, invoice: pending.invoiceId },
  };
}

function toDocument({ change, value, invoice, amountMinor, absorbedMinor, settledAt }: BilledChange, currency: string): EventBillingBody['data'][number]['documents'][number] {
  return {
    change, value, invoice: invoice?.id ?? null, invoice_number: invoice?.number ?? null, line: invoice?.lineId ?? null,
    amount: formatMinor(amountMinor, currency), absorbed: formatMinor(absorbedMinor, currency), settled_at: settledAt?.toString() ?? null,
  };
}
