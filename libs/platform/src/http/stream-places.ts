/** Bounds the streams that are open at once, of one organization and of all. */
export class StreamPlaces {
  private readonly taken = new Map<string, number>();
  private total = 0;

  constructor(private readonly bounds: { readonly perOrganizationMax: number; readonly totalMax: number }) {}

  /** Gives the place back; null where there is none. */
  take(organizationId: string): (() => void) | null {
    const own = this.taken.get(organizationId) ?? 0;
    if (own >= this.bounds.perOrganizationMax || this.total >= this.bounds.totalMax) return null;
    this.taken.set(organizationId, own + 1);
    this.total += 1;
    return () => {
      const left = (this.taken.get(organizationId) ?? 1) - 1;
      if (left === 0) this.taken.delete(organizationId);
      else this.taken.set(organizationId, left);
      this.total -= 1;
    };
  }
}
