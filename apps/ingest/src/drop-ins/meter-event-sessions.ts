import { hash } from 'node:crypto';
import { SecretBox } from '#persistence';
import type { Clock } from '#platform';

export interface MeterEventSession {
  readonly id: string;
  readonly token: string;
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant;
}

export type OpenedSession = { readonly ok: true; readonly credential: string } | { readonly ok: false; readonly code: 'unknown' | 'expired' };

const tokenPrefix = 'tw_session_';
const boundTo = ['meter event session'];
const validMinutes = 15;

/**
 * Tokens of Stripe's meter event sessions. A token is the API key that made it, sealed together with its end: nothing is
 * stored, every process can open it, and a key that is revoked or loses its scope ends its sessions with it.
 */
export class MeterEventSessions {
  private readonly box: SecretBox;

  constructor(
    serverSecret: string,
    private readonly clock: Clock,
  ) {
    this.box = new SecretBox(serverSecret, 'tollway meter event sessions');
  }

  start(credential: string): MeterEventSession {
    const createdAt = this.clock.now();
    const expiresAt = createdAt.add({ minutes: validMinutes });
    const token = tokenPrefix + this.box.seal(JSON.stringify({ credential, expires_at: expiresAt.toString() }), boundTo);
    return { id: `mes_${hash('sha256', token, 'hex').slice(0, 24)}`, token, createdAt, expiresAt };
  }

  open(token: string): OpenedSession {
    const session = token.startsWith(tokenPrefix) ? this.opened(token.slice(tokenPrefix.length)) : null;
    if (session === null) return { ok: false, code: 'unknown' };
    const isExpired = Temporal.Instant.compare(Temporal.Instant.from(session.expires_at), this.clock.now()) <= 0;
    return isExpired ? { ok: false, code: 'expired' } : { ok: true, credential: session.credential };
  }

  private opened(sealed: string): { readonly credential: string; readonly expires_at: string } | null {
    try {
      return JSON.parse(this.box.open(sealed, boundTo)) as { credential: string; expires_at: string };
    } catch {
      return null; // Changed, cut, or of another server: nobody's.
    }
  }
}
