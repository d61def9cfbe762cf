import { expect, it } from 'vitest';
import { ratedUsageCsv } from './rated-usage-csv.js';

const row = { customer: 'cus_1', customer_key: 'acme, "east"', price: 'price_1', price_key: 'base', quantity: '1', amount: '-12.50', currency: 'USD', state: 'open' as const };

it('writes a header, quotes where RFC 4180 asks for it, and keeps negative amounts as numbers', () => {
  expect(ratedUsageCsv({ data: [row] }, ['customer', 'price'])).toBe(
    'customer,customer_key,price,price_key,quantity,amount,currency,state,adjusts\r\ncus_1,"acme, ""east""",price_1,base,1,-12.50,USD,open,\r\n',
  );
});

it('leaves out what the report is not grouped by, and has a header where there are no rows', () => {
  expect(ratedUsageCsv({ data: [] }, ['day'])).toBe('day,quantity,amount,currency,state,adjusts\r\n');
});

it('names the period that late usage adjusts', () => {
  const late = { quantity: '5', amount: '0.50', currency: 'USD', state: 'adjustment' as const, adjusts: { start: '2027-01-01T00:00:00Z', end: '2027-02-01T00:00:00Z' } };
  expect(ratedUsageCsv({ data: [late] }, [])).toBe('quantity,amount,currency,state,adjusts\r\n5,0.50,USD,adjustment,2027-01-01T00:00:00Z/2027-02-01T00:00:00Z\r\n');
});
