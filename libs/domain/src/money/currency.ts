import { assert } from '../assert.js';

/**
 * ISO 4217 currencies that money is owed in, by their minor digits. Written out and reviewed because the runtime's own table
 * follows everyday use instead of the standard (it gives 0 digits for AFN, COP, HUF, IDR, IQD and others) and moves
 * with its version, while an issued invoice must read the same for ever. Left out: funds, metals, test codes, and the
 * two codes with four digits, CLF and UYW, which are units of account.
 */
const codesByDigits: Readonly<Record<0 | 2 | 3, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  2:
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK ' +
    'DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT ' +
    'LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN ' +
    'QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS ' +
    'VES WST XCD XCG YER ZAR ZMW ZWG',
};

const digitsByCode: ReadonlyMap<string, number> = new Map(
  ([0, 2, 3] as const).flatMap((digits) => codesByDigits[digits].split(' ').map((code) => [code, digits] as const)),
);

/** Every code that `isCurrency` accepts, in order. */
export const currencyCodes: readonly string[] = [...digitsByCode.keys()].sort();

/** True for an ISO 4217 code in capitals that Tollway can bill in. */
export function isCurrency(code: string): boolean {
  return digitsByCode.has(code);
}

/** Digits after the point of a posted amount: 0, 2 or 3. */
export function currencyDigits(code: string): number {
  const digits = digitsByCode.get(code);
  assert(digits !== undefined, 'A currency is checked with isCurrency where it enters.');
  return digits;
}
