import { Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownerScopes } from '#contracts';
import { accepted, createHttpApp, makeLogger } from '#platform';
import { ReportRatedUsage } from '../report-rated-usage.js';
import { SimulatePrice } from '../simulate-price-command.js';
import { RatingController } from './rating.controller.js';

// Goal: what the routes make of a report. Method: the edge itself over HTTP, with a report of one row instead of a database.

const report = {
  rows: [{ price: { id: 'price_1', key: 'base' }, day: '2027-01-01', quantity: '1', amountMinor: -1250n, currency: 'USD', state: 'open' }],
  completeAsOf: Temporal.Instant.from('2027-01-02T00:00:00Z'),
};

@Module({
  controllers: [RatingController],
  providers: [{ provide: ReportRatedUsage, useValue: { execute: async () => accepted(report) } }, { provide: SimulatePrice, useValue: {} }],
})
class RoutesModule {}

let app: Awaited<ReturnType<typeof createHttpApp>>;
beforeAll(async () => {
  app = await createHttpApp({
    module: RoutesModule,
    logger: makeLogger({ name: 'test', level: 'silent' }),
    authenticator: { authenticate: async () => ({ organizationId: 'org_a', mode: 'test', credentialId: 'key_a', scopes: new Set(ownerScopes) }) },
    decimalFields: new Set(),
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(() => app.close());

async function get(accept: string) {
  const url = '/v1/rated-usage?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z&group_by=price,day';
  const { statusCode, headers, body } = await app.inject({ method: 'GET', url, headers: { authorization: 'Bearer x', accept } });
  return { status: statusCode, type: headers['content-type'], completeAsOf: headers['tollway-complete-as-of'], body };
}

describe('rated usage', () => {
  it.each(['*/*', 'application/json', 'text/csv2', 'application/json, */*;q=0.5'])('is JSON for %s', async (accept) => {
    const { status, type, body } = await get(accept);
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8']);
    expect(JSON.parse(body)).toEqual({
      data: [{ price: 'price_1', price_key: 'base', day: '2027-01-01', quantity: '1', amount: '-12.50', currency: 'USD', state: 'open' }],
      total: { USD: '-12.50' }, complete_as_of: '2027-01-02T00:00:00Z',
    });
  });

  it.each(['text/csv', 'application/json;q=0.5, text/csv; charset=utf-8'])('is CSV for %s', async (accept) => {
    expect(await get(accept)).toEqual({
      status: 200, type: 'text/csv; charset=utf-8', completeAsOf: '2027-01-02T00:00:00Z',
      body: 'price,price_key,day,quantity,amount,currency,state,adjusts\r\nprice_1,base,2027-01-01,1,-12.50,USD,open,\r\n',
    });
  });
});
