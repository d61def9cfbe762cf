import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { assert, claimMs, type Clock, type IdempotencyClaim, type IdempotencyScope, type IdempotencyStore, type StoredAnswer } from '#platform';
import type { Database } from '../database.js';
import { idempotencyKeyTable } from './idempotency-key-table.js';
import { fromRow, type Row } from './table-columns.js';

const keptHours = 24;
const nonceBytes = 12;
const tagBytes = 16;
const removedMax = 5_000;

/** First answers in Postgres, encrypted, since the answer that creates a key holds its secret. */
export class PostgresIdempotencyStore implements IdempotencyStore {
  private readonly encryptionKey: Buffer;

  constructor(
    private readonly database: Database,
    private readonly options: { readonly serverSecret: string; readonly clock: Clock },
  ) {
    this.encryptionKey = Buffer.from(hkdfSync('sha256', options.serverSecret, '', 'idempotent answers', 32));
  }

  async claim(scope: IdempotencyScope, fingerprint: string): Promise<IdempotencyClaim> {
    const claim = randomUUID();
    const now = this.options.clock.now();
    return this.database.inOrganization(scope.organizationId, async (manager) => {
      // One statement takes the key where nobody has it: it is new, its day is over, or its holder died before it answered.
      const taken: Row[] = await manager.query(
        `insert into idempotency_keys (organization_id, credential_id, method, path, key, fingerprint, claim, claimed_until, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (organization_id, credential_id, method, path, key) do update
           set fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until, expires_at = excluded.expires_at,
               status = null, answer = null
           where idempotency_keys.expires_at <= $10 or (idempotency_keys.status is null and idempotency_keys.claimed_until <= $10
                 and idempotency_keys.fingerprint = excluded.fingerprint)
         returning claim`,
        [...placeOf(scope), fingerprint, claim, now.add({ milliseconds: claimMs }).toString(), now.add({ hours: keptHours }).toString(), now.toString()],
      );
      if (taken.length > 0) return { state: 'claimed', claim };
      const rows: Row[] = await manager.query(`select * from idempotency_keys where ${isPlace}`, placeOf(scope));
      // Its holder gave it back between the two statements: as if it were still running, so the caller tries again.
      if (rows[0] === undefined) return { state: 'running', fingerprint };
      const row = fromRow(idempotencyKeyTable, rows[0]);
      if (row.status === null || row.answer === null) return { state: 'running', fingerprint: row.fingerprint };
      return { state: 'answered', fingerprint: row.fingerprint, answer: this.open(row.answer, row.status) };
    });
  }

  async renew(scope: IdempotencyScope, claim: string): Promise<void> {
    const until = this.options.clock.now().add({ milliseconds: claimMs });
    await this.onHeld(scope, claim, { set: 'claimed_until = $7', values: [until.toString()] });
  }

  async store(scope: IdempotencyScope, claim: string, answer: StoredAnswer): Promise<void> {
    await this.onHeld(scope, claim, { set: 'status = $7, answer = $8', values: [answer.status, this.seal(answer)] });
  }

  async release(scope: IdempotencyScope, claim: string): Promise<void> {
    await this.database.inOrganization(scope.organizationId, (manager) =>
      manager.query(`delete from idempotency_keys where ${isPlace} and claim = $6`, [...placeOf(scope), claim]));
  }

  /** Removes answers whose day is over, of all organizations, some thousands at a time. Returns how many. */
  async removeExpired(): Promise<number> {
    return this.database.acrossOrganizations(async (manager) => {
      const rows: Row[] = await manager.query(
        `with expired as (select ctid from idempotency_keys where expires_at <= $1 limit $2)
         , removed as (delete from idempotency_keys where ctid in (select ctid from expired) returning 1) select count(*)::int as count from removed`,
        [this.options.clock.now().toString(), removedMax],
      );
      return rows[0]?.['count'] as number;
    });
  }

  private async onHeld(scope: IdempotencyScope, claim: string, change: { set: string; values: readonly unknown[] }): Promise<void> {
    await this.database.inOrganization(scope.organizationId, (manager) =>
      manager.query(`update idempotency_keys set ${change.set} where ${isPlace} and claim = $6`, [...placeOf(scope), claim, ...change.values]));
  }

  private seal(answer: StoredAnswer): Buffer {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.encryptionKey, nonce);
    const sealed = Buffer.concat([cipher.update(JSON.stringify({ contentType: answer.contentType, body: answer.body }), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  private open(sealed: Buffer, status: number): StoredAnswer {
    assert(sealed.length > nonceBytes + tagBytes, 'A stored answer has its nonce, its tag and a body.');
    const decipher = createDecipheriv('aes-256-gcm', this.encryptionKey, sealed.subarray(0, nonceBytes));
    decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
    const text = Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8');
    const { contentType, body } = JSON.parse(text) as { contentType: string; body: string };
    return { status, contentType, body };
  }
}

const isPlace = 'organization_id = $1 and credential_id = $2 and method = $3 and path = $4 and key = $5';

function placeOf(scope: IdempotencyScope): string[] {
  return [scope.organizationId, scope.credentialId, scope.method, scope.path, scope.key];
}
