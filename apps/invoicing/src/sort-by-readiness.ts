import type { DueAct, InvoiceRecord } from '#persistence';

/** An issue act with its draft. */
export interface IssueCandidate {
  readonly act: DueAct;
  readonly invoice: InvoiceRecord | null;
  /** Whether it closes a period that is rated for the last time. */
  readonly isRated: boolean;
}

export interface ReadyToIssue extends IssueCandidate {
  readonly invoice: InvoiceRecord;
}

export interface SortedByReadiness {
  /** To be issued now, in order of due time. */
  readonly ready: ReadyToIssue[];
  /** Wait for the period's last rating. */
  readonly waiting: IssueCandidate[];
  /** Their invoice was issued another way. */
  readonly obsolete: IssueCandidate[];
}

/**
 * Candidates come in order of due time. A strict order stops at the first that can't be issued; otherwise one that can't
 * holds up the later ones of its customer only, who would see them out of order.
 */
export function sortByReadiness(
  candidates: readonly IssueCandidate[],
  options: { readonly isStrict: boolean; readonly systemNow: Temporal.Instant; readonly limit: number },
): SortedByReadiness {
  const sorted: SortedByReadiness = { ready: [], waiting: [], obsolete: [] };
  const heldUp = new Set<string>();
  for (const candidate of candidates) {
    const { act, invoice } = candidate;
    if (invoice?.status !== 'draft') {
      sorted.obsolete.push(candidate);
      continue;
    }
    const isReady = !invoice.waitingForUsage || candidate.isRated;
    if (!isReady) sorted.waiting.push(candidate);
    const isPutOff = act.nextTryAt !== null && Temporal.Instant.compare(act.nextTryAt, options.systemNow) > 0;
    const waitsInLine = heldUp.has(invoice.customerId) || (options.isStrict && heldUp.size > 0);
    if (!isReady || isPutOff || waitsInLine) heldUp.add(invoice.customerId);
    else if (sorted.ready.length < options.limit) sorted.ready.push({ ...candidate, invoice });
  }
  return sorted;
}
