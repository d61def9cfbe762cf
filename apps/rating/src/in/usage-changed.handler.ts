import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { decodeUsageChangedRecord, topics } from '#contracts';
import type { LogBatch } from '#platform';
import { MarkRatingDue } from '../mark-rating-due.js';

/** The log server that carries the group "rating". */
export const ratingTransport = Symbol('rating log');

@Controller()
export class UsageChangedHandler {
  constructor(@Inject(MarkRatingDue) private readonly markRatingDue: MarkRatingDue) {}

  @EventPattern(topics.usageChanged, ratingTransport)
  async onUsageChanged(@Payload() batch: LogBatch): Promise<void> {
    await this.markRatingDue.execute(batch.records.map((record) => decodeUsageChangedRecord(record.value)));
  }
}
