import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { topics } from '#contracts';
import type { LogBatch } from '#platform';
import { AggregatorMetrics } from '../aggregator-metrics.js';
import { ConsumeDeadLetters } from '../consume-dead-letters.js';
import { ConsumeUsageBatch } from '../consume-usage-batch.js';

/** The log server that carries the group "aggregator". */
export const aggregatorTransport = Symbol('aggregator log');

@Controller()
export class UsageLogHandler {
  constructor(
    @Inject(ConsumeUsageBatch) private readonly consumeUsageBatch: ConsumeUsageBatch,
    @Inject(ConsumeDeadLetters) private readonly consumeDeadLetters: ConsumeDeadLetters,
    @Inject(AggregatorMetrics) private readonly metrics: AggregatorMetrics,
  ) {}

  @EventPattern(topics.usageEvents, aggregatorTransport)
  async onUsageEvents(@Payload() batch: LogBatch): Promise<void> {
    await this.consumeUsageBatch.execute(batch);
    this.metrics.counted(batch);
  }

  @EventPattern(topics.deadLetters, aggregatorTransport)
  async onDeadLetters(@Payload() batch: LogBatch): Promise<void> {
    this.metrics.kept(await this.consumeDeadLetters.execute(batch));
  }
}
