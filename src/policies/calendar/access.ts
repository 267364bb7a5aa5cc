import { tokensOf } from '../../commands/messaging/index.ts';
import type { Reads } from '../../commands/reads.ts';
import { MINUTE_MS } from '../../domain/durations.ts';
import { integration, refreshIntegration, requireReconnect } from '../../domain/messaging/integration/index.ts';
import type { CalendarAnswer, Calendars } from '../../integrations/calendar/index.ts';
import { uuid7 } from '../../uuid.ts';
import { type Cause, type Execute, settled } from '../execute.ts';

/** What jobs on calendars work with. */
export type CalendarDeps = { readonly reads: Reads; readonly execute: Execute; readonly calendars: Calendars };

/** What led to a job. */
export type Led = Pick<Cause, 'causationId' | 'correlationId'>;

/** Issues a command as the jobs on calendars. */
export const issueAs = async ({ execute }: Pick<CalendarDeps, 'execute'>, led: Led, command: string, input: unknown) =>
  settled(await execute(command, input, { ...led, policy: 'booking-calendar', commandId: uuid7() }));

/** Milliseconds of life below which an access token is refreshed before it is used. */
const FRESH_MS = 5 * MINUTE_MS;

type Token = { readonly accessToken: string; readonly tokensAt: number };

/** Why there is no access token: `gone` with its connection, `needs-reconnect` as the provider says, or only for now. */
export type NoToken = 'gone' | 'needs-reconnect' | 'unavailable';

/**
 * An access token that lives for five minutes more, refreshed where that is needed, and in any case when the one of the
 * event `refused` was refused. One that lives a little longer does where the provider gives no other.
 */
export const accessTo = async (
  deps: CalendarDeps,
  led: Led,
  integrationId: string,
  refused?: number,
): Promise<Token | NoToken> => {
  const { reads } = deps;
  const current = async () => (await reads.load(integration, integrationId)).state;
  let state = await current();
  const { expiresAt, tokensAt: seen } = state;
  const left = expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt) - reads.now().getTime();
  if (left < FRESH_MS || seen === refused) {
    const outcome = await issueAs(deps, led, refreshIntegration.name, { integrationId, seen });
    const lives = left > 0 && seen !== refused;
    if (!outcome.ok && outcome.code === 'SERVICE_UNAVAILABLE' && !lives) return 'unavailable';
    if (!outcome.ok && outcome.reason === 'not-refreshable' && !lives)
      await issueAs(deps, led, requireReconnect.name, { integrationId, reason: 'no-refresh-token', seen });
    state = await current();
  }
  if (state.status === 'needs_reconnect') return 'needs-reconnect';
  const tokens = state.status === 'revoked' ? undefined : await tokensOf(reads, integrationId, state);
  return tokens === undefined ? 'gone' : { accessToken: tokens.accessToken, tokensAt: state.tokensAt };
};

/**
 * Calls a calendar with a token of the integration, and once more with a fresh one where the first does not count. What
 * was granted not reaching that far is for its holder to mend: nothing more is tried until then.
 */
export const callWith = async (
  deps: CalendarDeps,
  led: Led,
  integrationId: string,
  call: (accessToken: string) => Promise<CalendarAnswer>,
): Promise<CalendarAnswer | { readonly outcome: NoToken }> => {
  const first = await accessTo(deps, led, integrationId);
  if (typeof first === 'string') return { outcome: first };
  const answer = await call(first.accessToken);
  if (answer.outcome !== 'unauthorised') return answer;
  const second = await accessTo(deps, led, integrationId, first.tokensAt);
  return typeof second === 'string' ? { outcome: second } : call(second.accessToken);
};
