import { categoryOf, type Recorded } from '../eventstore/event.ts';
import { contextOf } from './contexts.ts';
import { accountConcerned, targetOf } from './streamTypes.ts';

/** `AppointmentBooked` as auditors call it: `appointment_booked`. */
export const actionOf = (type: string): string => type.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();

export const actorTypes = ['user', 'api_key', 'system', 'external'] as const;
export type ActorType = (typeof actorTypes)[number];
export const outcomes = ['success', 'refused', 'failed'] as const;
export type AuditOutcome = (typeof outcomes)[number];

const refusals: ReadonlySet<string> = new Set([
  'LoginFailed',
  'OtpRejected',
  'MfaChallengeFailed',
  'AccessDenied',
  'RequestRefused',
]);

/** Whether the event states that something was done, refused, or did not work. */
export const outcomeOf = (type: string): AuditOutcome =>
  refusals.has(type) ? 'refused' : /(?:Failed|Abandoned|Bounced)$/.test(type) ? 'failed' : 'success';

/** Fields that name roles, permissions and routes: no personal data, and what an auditor wants to read at a glance. */
const telling = [
  'roleName',
  'permission',
  'outcome',
  'status',
  'round',
  'by',
  'code',
  'method',
  'path',
  'count',
] as const;

const summaryOf = (action: string, target: { readonly type: string; readonly id: string }, data: unknown): string => {
  const fields = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  const details = telling.flatMap((name) => {
    const value = fields[name];
    return typeof value === 'string' || typeof value === 'number' ? [`${actionOf(name)} ${value}`] : [];
  });
  return [`${action.replaceAll('_', ' ')}: ${target.type} ${target.id}`, ...details].join(', ');
};

/** The first of these fields that holds text. */
const firstText = (data: unknown, names: readonly string[]): string | null => {
  const fields = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  const found = names.map((name) => fields[name]).find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : null;
};

/** Facts about a login that the service records in the name of whoever logs in. */
const ownLogins: ReadonlySet<string> = new Set(['LoginSucceeded', 'LoginSessionStarted', 'LoginSessionRefreshed']);

/** A field that holds a number. */
const numberIn = (data: unknown, name: string): number | null => {
  const value = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : undefined;
  return typeof value === 'number' ? value : null;
};

const refused: ReadonlySet<string> = new Set(['AccessDenied', 'RequestRefused']);

/** What a refused request wanted, and how often. */
const refusalOf = ({ type, data }: Recorded) => {
  if (!refused.has(type)) return { code: null, method: null, path: null, count: null, continues: null, ip_hash: null };
  return {
    code: type === 'AccessDenied' ? 'FORBIDDEN' : firstText(data, ['code']),
    method: firstText(data, ['method']),
    path: firstText(data, ['path']),
    count: numberIn(data, 'count'),
    continues: firstText(data, ['continues']),
    ip_hash: firstText(data, ['ipHash']),
  };
};

/** Who acted: an account, the system, or a stranger (`external`), such as whoever failed to log in. */
const actorOf = (event: Recorded): { readonly type: ActorType; readonly account: string | null } => {
  const { id, kind } = event.metadata.actor;
  const account = ownLogins.has(event.type) ? firstText(event.data, ['accountId']) : null;
  if (account !== null) return { type: 'user', account };
  if (kind === 'user' || kind === 'api_key') return { type: kind, account: id };
  return { type: kind === 'anonymous' || event.type === 'LoginFailed' ? 'external' : 'system', account: null };
};

/** What the audit trail keeps of an event: ids, kinds and times, never a personal value. */
export const entryOf = (event: Recorded) => {
  const { metadata } = event;
  const action = actionOf(event.type);
  const target = targetOf(event);
  const actor = actorOf(event);
  return {
    id: event.id,
    position: String(event.position),
    at: event.recordedAt,
    user_id: actor.account,
    actor_id: metadata.actor.id,
    actor_type: actor.type as string,
    account_id: accountConcerned(event) ?? null,
    action,
    type: event.type as string,
    context: contextOf(categoryOf(event.stream)),
    target_type: target.type,
    target_id: target.id,
    stream: event.stream,
    revision: event.revision,
    outcome: outcomeOf(event.type) as string,
    role_id: firstText(event.data, ['roleId']),
    permission: firstText(event.data, event.type.startsWith('PermissionDe') ? ['name'] : ['permission']),
    command: metadata.command,
    correlation_id: metadata.correlationId,
    causation_id: metadata.causationId ?? null,
    session_id: metadata.sessionId ?? null,
    summary: summaryOf(action, target, event.data),
    ...refusalOf(event),
  };
};
