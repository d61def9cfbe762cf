import type { UsageBasis } from '#persistence';
import type { SliceEvents, SliceRequest, UsageSlices } from './usage-slices.js';

/** Usage read by one basis, whatever asks for it. Keeps what was asked, so that it can be checked afterwards. */
export class BasedUsage implements UsageSlices, SliceEvents {
  readonly asked: SliceRequest[] = [];

  constructor(private readonly use: { readonly usage: UsageSlices; readonly events: SliceEvents }, private readonly basis: UsageBasis) {}

  readSlices(request: Parameters<UsageSlices['readSlices']>[0]): ReturnType<UsageSlices['readSlices']> {
    return this.use.usage.readSlices({ ...this.noted(request), basis: this.basis });
  }

  readEvents(request: SliceRequest): ReturnType<SliceEvents['readEvents']> {
    return this.use.events.readEvents({ ...this.noted(request), basis: this.basis });
  }

  readStated(request: Parameters<SliceEvents['readStated']>[0]): ReturnType<SliceEvents['readStated']> {
    return this.use.events.readStated({ ...this.noted(request), basis: this.basis });
  }

  private noted<Request extends SliceRequest>(request: Request): Request {
    this.asked.push(request);
    return request;
  }
}
