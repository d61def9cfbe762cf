import type { ReadStream } from 'node:fs';
import type { ExportCreate } from '#contracts';
import { wholeMicrosecond } from '#domain';
import { countOpenExports, deleteExport, findExport, findMeters, insertExport, listExports, readCustomer, type Database, type ExportQuestion, type ExportRecord, type RowPage } from '#persistence';
import { accepted, refused, type Clock, type Ids, type InputFault, type ListPage, type Outcome } from '#platform';
import type { ExportFiles } from './export-files.js';
import { queryFaults } from './read-meter-usage.js';
import { usageRange } from './usage-range.js';

export type ExportCode = 'not_found' | 'invalid_request' | 'too_many_exports' | 'export_not_done' | 'export_failed' | 'export_expired';

export interface ExportKey {
  readonly organizationId: string;
  readonly id: string;
}

export interface ExportedFile {
  readonly record: ExportRecord;
  readonly stream: ReadStream;
}

/** Of one organization, waiting or being written. */
const openExportsMax = 20;
const daysMax = 366;

/** Files of events or usage: asked for here, written by `RunExports`. */
export class Exports {
  constructor(private readonly use: { readonly database: Database; readonly files: ExportFiles; readonly ids: Ids; readonly clock: Clock }) {}

  create(organizationId: string, body: ExportCreate): Promise<Outcome<ExportRecord, ExportCode>> {
    return this.use.database.inOrganization(organizationId, async (manager) => {
      const customer = body.customer === undefined ? undefined : await readCustomer(manager, body.customer);
      const [meter] = body.meter === undefined ? [] : await findMeters(manager, { reference: body.meter });
      const { range, faults } = rangeOf(body);
      if (customer === null) faults.push({ pointer: '/customer', code: 'unknown_customer', detail: 'There is no such customer.' });
      if (body.meter !== undefined && meter === undefined) faults.push({ pointer: '/meter', code: 'unknown_meter', detail: 'There is no such meter.' });
      if (meter !== undefined) faults.push(...queryFaults(range, { meter, groupBy: body.group_by ?? [] }));
      if (faults.length > 0) return refused('invalid_request', 'There can be no such export.', faults);
      if ((await countOpenExports(manager)) >= openExportsMax) return refused('too_many_exports', `${openExportsMax} exports are waiting or being written. Wait for one of them, or delete it.`);
      const question: ExportQuestion = {
        ...range, ...given('customerId', customer?.id), ...given('type', body.type), ...given('meterId', meter?.id), ...given('window', body.window),
        ...given('timeZone', body.kind === 'usage' ? (body.time_zone ?? 'UTC') : undefined), ...given('groupBy', body.group_by),
      };
      const record: ExportRecord = {
        id: this.use.ids.make('exp'), organizationId, kind: body.kind, format: body.format, question, status: 'queued', rows: null, bytes: null, sha256: null, errorCode: null, errorDetail: null,
        freshAsOf: null, fileName: null, claim: null, attempts: 0, finishedAt: null, expiresAt: null, createdAt: wholeMicrosecond(this.use.clock.now()),
        metadata: body.metadata ?? {},
      };
      await insertExport(manager, record);
      return accepted(record);
    });
  }

  list(organizationId: string, page: ListPage): Promise<RowPage<ExportRecord>> {
    return this.use.database.inOrganization(organizationId, (manager) => listExports(manager, page));
  }

  async find({ organizationId, id }: ExportKey): Promise<Outcome<ExportRecord, 'not_found'>> {
    const found = await this.use.database.inOrganization(organizationId, (manager) => findExport(manager, id));
    return found === null ? refused('not_found', 'There is no such export.') : accepted(found);
  }

  /** One that is being written is dropped by whoever writes it. */
  async delete({ organizationId, id }: ExportKey): Promise<Outcome<null, 'not_found'>> {
    const deleted = await this.use.database.inOrganization(organizationId, (manager) => deleteExport(manager, id));
    if (deleted === null) return refused('not_found', 'There is no such export.');
    if (deleted.fileName !== null) await this.use.files.remove(deleted.fileName);
    return accepted(null);
  }

  async file(key: ExportKey): Promise<Outcome<ExportedFile, ExportCode>> {
    const found = await this.find(key);
    if (!found.ok) return found;
    const record = found.value;
    if (record.status === 'failed') return refused('export_failed', `The export failed: ${record.errorDetail ?? ''}`);
    if (record.fileName === null || record.expiresAt === null) return refused('export_not_done', `The export is ${record.status}. Ask again once its status is done.`);
    if (Temporal.Instant.compare(record.expiresAt, this.use.clock.now()) <= 0) return refused('export_expired', 'The file was kept for as long as exports are, and is gone. Ask for a new export.');
    return accepted({ record, stream: await this.use.files.read(record.fileName) });
  }
}

function rangeOf(body: ExportCreate): { range: { from: string; to: string }; faults: InputFault[] } {
  const { range: { from, to }, faults } = usageRange(body);
  if (faults.length === 0 && Temporal.Instant.compare(from.add({ hours: daysMax * 24 }), to) < 0) {
    faults.push({ pointer: '/to', code: 'range_too_long', detail: `An export covers at most ${daysMax} days. Ask for several.` });
  }
  return { range: { from: from.toString(), to: to.toString() }, faults };
}

function given<Name extends keyof ExportQuestion>(name: Name, value: ExportQuestion[Name] | undefined): Partial<ExportQuestion> {
  return value === undefined ? {} : { [name]: value };
}
