import type { DocumentLine, InvoiceDocument, Party } from '#platform';

const period = { start: Temporal.Instant.from('2026-10-01T00:00:00Z'), end: Temporal.Instant.from('2026-11-01T00:00:00Z') };

export function sampleParty(changes: Partial<Party> = {}): Party {
  return { id: 'cus_01', name: 'Acme', email: 'billing@acme.example', providerId: null, paymentMethod: null, firstPushAt: null, ...changes };
}

export function sampleLine(id: string, amountMinor: bigint): DocumentLine {
  return { id, description: `Line ${id}`, amountMinor, period };
}

/** 49.00 + 12.34 + 0.00 - 1.34 (discount) = 60.00 USD, unless told otherwise. The amount due follows the lines. */
export function sampleDocument(changes: Partial<InvoiceDocument> = {}): InvoiceDocument {
  const lines = changes.lines ?? [sampleLine('il_1', 4900n), sampleLine('il_2', 1234n), sampleLine('il_3', 0n), sampleLine('il_4', -134n)];
  return {
    id: 'inv_01',
    number: 'TW-0001',
    party: sampleParty(),
    currency: 'USD',
    minorDigits: 2,
    providerId: null,
    collection: { kind: 'automatic' },
    metadata: { subscription: 'sub_01' },
    amountDueMinor: lines.reduce((sum, line) => sum + line.amountMinor, 0n),
    ...changes,
    lines,
  };
}
