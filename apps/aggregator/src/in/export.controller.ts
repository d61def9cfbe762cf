import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { exportCreateSchema, exportListSchema, exportSchema, type ExportBody, type ExportCreate, type Scope } from '#contracts';
import type { ExportRecord } from '#persistence';
import { Answers, CurrentPrincipal, Problem, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type ListBody, type Principal } from '#platform';
import { Exports, type ExportCode } from '../exports.js';

const statuses: Readonly<Record<ExportCode, number>> = { not_found: 404, invalid_request: 422, too_many_exports: 409, export_not_done: 409, export_failed: 409, export_expired: 410 };
const contentTypes: Readonly<Record<ExportRecord['format'], string>> = { csv: 'text/csv; charset=utf-8', parquet: 'application/vnd.apache.parquet' };

/** What a kind needs beside usage:read: a file shows what its route would. */
const scopesOfKinds: Readonly<Record<ExportRecord['kind'], Scope>> = { events: 'usage:read', usage: 'usage:read', rated_usage: 'finance:read', invoices: 'invoices:read' };

@ApiTags('exports')
@Controller('v1/exports')
export class ExportController {
  constructor(@Inject(Exports) private readonly exports: Exports) {}

  @Post()
  @RequiredScope('usage:read')
  @ApiOperation({
    summary: 'Ask for a file of events, usage, rated usage or invoices',
    description: 'It is written in the background and kept for seven days, unless the installation says otherwise. Events: those that are counted, with their data as amendments left it; voided ones are left out. '
      + 'Usage: every row, at most 200,000 for each day (windows of a minute or an hour), each month (of a day or a month), or in all (no windows). Rated usage: the rows of GET /v1/rated-usage by customer, plan, price and day, as they were rated last. Invoices: issued ones, a row for each line, with the amounts of the invoice in the row of its first. Values are exact, as text. Rated usage needs the scope finance:read too, invoices invoices:read. At most 20 exports of an organization wait or are written at a time.',
  })
  @Answers({ status: 201, schema: exportSchema, problems: [400, 409, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: exportCreateSchema }) body: ExportCreate): Promise<ExportBody> {
    checkScope(principal, body.kind);
    return toExport(valueOrProblem(await this.exports.create(principal.organizationId, body), statuses));
  }

  @Get()
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'List exports, newest first' })
  @Answers({ schema: exportListSchema, problems: [422] })
  async list(@CurrentPrincipal() { organizationId }: Principal, @Query({ schema: listQuerySchema }) query: z.infer<typeof listQuerySchema>): Promise<ListBody<ExportBody>> {
    const { items, hasMore } = await this.exports.list(organizationId, toListPage(query));
    return { data: items.map(toExport), has_more: hasMore };
  }

  @Get(':id')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'One export, and how far it is' })
  @Answers({ schema: exportSchema, problems: [404] })
  async one(@CurrentPrincipal() { organizationId }: Principal, @Param('id') id: string): Promise<ExportBody> {
    return toExport(valueOrProblem(await this.exports.find({ organizationId, id }), statuses));
  }

  @Get(':id/download')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'The file of an export', description: '409 until it is done, 410 once it expired.' })
  @ApiProduces('text/csv', 'application/vnd.apache.parquet')
  @Answers({ description: 'The file.', problems: [404, 409, 410] })
  async download(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<StreamableFile> {
    const { organizationId } = principal;
    checkScope(principal, valueOrProblem(await this.exports.find({ organizationId, id }), statuses).kind);
    const { record, stream } = valueOrProblem(await this.exports.file({ organizationId, id }), statuses);
    return new StreamableFile(stream, { type: contentTypes[record.format], disposition: `attachment; filename="${record.kind}-${record.id}.${record.format}"`, length: Number(record.bytes) });
  }

  @Delete(':id')
  @HttpCode(204)
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'Delete an export and its file', description: 'One that waits or is being written is given up.' })
  @Answers({ status: 204, problems: [404] })
  async delete(@CurrentPrincipal() { organizationId }: Principal, @Param('id') id: string): Promise<void> {
    valueOrProblem(await this.exports.delete({ organizationId, id }), statuses);
  }
}

function checkScope(principal: Principal, kind: ExportRecord['kind']): void {
  const scope = scopesOfKinds[kind];
  if (!principal.scopes.has(scope)) throw new Problem({ status: 403, code: 'scope_missing', detail: `This credential lacks the scope ${scope}.` });
}

function toExport(record: ExportRecord): ExportBody {
  const { question, errorCode, errorDetail } = record;
  return {
    id: record.id,
    object: 'export',
    kind: record.kind,
    format: record.format,
    from: question.from,
    to: question.to,
    customer: question.customerId ?? null,
    type: question.type ?? null,
    meter: question.meterId ?? null,
    window: question.window ?? null,
    time_zone: question.timeZone ?? null,
    group_by: question.groupBy === undefined ? null : [...question.groupBy],
    status: record.status,
    rows: record.rows === null ? null : Number(record.rows),
    bytes: record.bytes === null ? null : Number(record.bytes),
    sha256: record.sha256,
    fresh_as_of: record.freshAsOf?.toString() ?? null,
    error: errorCode === null ? null : { code: errorCode, detail: errorDetail ?? '' },
    finished_at: record.finishedAt?.toString() ?? null,
    expires_at: record.expiresAt?.toString() ?? null,
    created_at: record.createdAt.toString(),
    metadata: { ...record.metadata },
  };
}
