const NOTE = /^next-appended-at=(\d{1,16})$/;

/**
 * What a commit says beside its offset: when the next record was appended, if the reader has it already. So whoever asks how
 * far a busy group has come need not fetch that record.
 */
export function commitNote(nextAppendedAt: Temporal.Instant | undefined): string | null {
  return nextAppendedAt === undefined ? null : `next-appended-at=${nextAppendedAt.epochMilliseconds}`;
}

/** In ms since 1970; undefined where the commit says nothing of it. */
export function appendedAtOf(metadata: string | null): number | undefined {
  const text = metadata === null ? undefined : NOTE.exec(metadata)?.[1];
  return text === undefined ? undefined : Number(text);
}
