import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { lateUsageListQuery, lateUsageListSchema, type LateUsageBody } from '#contracts';
import { formatMinor, toPlain, type LateUsageLine } from '#domain';
import { Answers, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, type ListBody, type Principal } from '#platform';
import { lateUsageId, ListLateUsage, type LateUsageView } from '../list-late-usage.js';

const lateUsageQuerySchema = listQuerySchema.extend(lateUsageListQuery).strict();

@ApiTags('invoices')
@Controller()
export class LateUsageController {
  constructor(@Inject(ListLateUsage) private readonly listLateUsage: ListLateUsage) {}

  @Get('v1/late-usage')
  @RequiredScope('finance:read')
  @ApiOperation({
    summary: 'List closed periods whose usage changed after their invoice was issued',
    description: 'What each was invoiced, what it comes to now, what will become of the difference, and which documents settled it. invoiced + absorbed + difference = rated. By subscription and period.',
  })
  @Answers({ schema: lateUsageListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: lateUsageQuerySchema }) query: z.infer<typeof lateUsageQuerySchema>): Promise<ListBody<LateUsageBody>> {
    const { items, hasMore } = await this.listLateUsage.execute(principal.organizationId, {
      page: toListPage(query), customer: query.customer, subscriptionId: query.subscription, state: query.state,
    });
    return { data: items.map(toBody), has_more: hasMore };
  }
}

function toBody({ late, isOpen, lateUsage, next, settlements }: LateUsageView): LateUsageBody {
  const { currency } = late;
  const sum = <T>(of: readonly T[], minor: (one: T) => bigint): string => formatMinor(of.reduce((total, one) => total + minor(one), 0n), currency);
  return {
    id: lateUsageId(late),
    object: 'late_usage',
    customer: late.customerId,
    subscription: late.subscriptionId,
    plan: late.planId,
    plan_version: late.planVersion,
    period: { start: late.period.start.toString(), end: late.period.end.toString() },
    currency,
    state: isOpen ? 'open' : 'settled',
    ...toAmounts(late.lines, sum),
    policy: { ...lateUsage },
    will_bill: sum(next, ({ billedMinor }) => billedMinor),
    will_absorb: sum(next, ({ absorbedMinor }) => absorbedMinor),
    lines: late.lines.map((line) => ({ price: line.priceId, price_key: line.priceKey, group: { ...line.groupValues }, quantity: toPlain(line.quantity), ...toAmounts([line], sum) })),
    settlements: settlements.map((one) => ({
      price: one.priceId,
      price_key: one.priceKey,
      group: { ...one.groupValues },
      quantity: one.quantity,
      amount: formatMinor(one.billedMinor, currency),
      absorbed: formatMinor(one.absorbedMinor, currency),
      invoice: one.invoiceId,
      invoice_number: one.invoiceNumber,
      line: one.lineId,
      complete_as_of: one.completeAsOf.toString(),
      settled_at: one.settledAt.toString(),
    })),
    complete_as_of: late.completeAsOf.toString(),
  };
}

function toAmounts(lines: readonly LateUsageLine[], sum: (of: readonly LateUsageLine[], minor: (line: LateUsageLine) => bigint) => string) {
  return {
    invoiced: sum(lines, ({ settled }) => settled.billedMinor),
    absorbed: sum(lines, ({ settled }) => settled.absorbedMinor),
    rated: sum(lines, ({ amountMinor }) => amountMinor),
    difference: sum(lines, ({ amountMinor, settled }) => amountMinor - settled.billedMinor - settled.absorbedMinor),
  };
}
