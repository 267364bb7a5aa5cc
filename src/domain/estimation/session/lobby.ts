import { z } from 'zod';
import { type Actor, type Context, type Rejection, reject } from '../../decider.ts';
import { line, lines, uuid } from '../../fields.ts';
import type { SessionEvent } from './events.ts';
import {
  closed,
  notFacilitating,
  notFacilitator,
  notTakingPart,
  observersNotAllowed,
  sessionRef,
  sessionUnknown,
} from './guards.ts';
import { cardsOf, DEFAULTS, SettingsInput, withChange } from './settings.ts';
import { command, present, type Session } from './state.ts';

const MAX_PARTICIPANTS = 50;

const Name = line(1, 100);
const Description = lines(0, 500);
const displayName = line(1, 50).optional();

/** Opens a session in the lobby with its creator as facilitator. The code was reserved for it before. */
export const createSession = command(
  'CreateSession',
  z
    .object({ name: Name, description: Description.optional(), settings: SettingsInput.optional(), displayName })
    .superRefine(({ settings = {} }, context) => {
      const result = withChange(DEFAULTS, settings);
      if ('message' in result)
        context.addIssue({ code: 'custom', path: result.field.split('.'), message: result.message });
    }),
  (
    { name, description, settings = {}, ...given },
    state,
    { actor, newId, facts }: Context<{ readonly code?: string }>,
  ) => {
    if (state.id !== null) return reject('CONFLICT', 'session-exists', 'The session exists already');
    if (facts.code === undefined) return reject('CONFLICT', 'code-not-reserved', 'No code is reserved for the session');
    const chosen = withChange(DEFAULTS, settings);
    if ('message' in chosen) return reject('VALIDATION_ERROR', 'deck-unusable', chosen.message, chosen.field);
    const sessionId = newId('session');
    const described = description === undefined ? {} : { description };
    const created = { sessionId, code: facts.code, name, ...described, createdBy: actor.id, settings: chosen };
    const host = { sessionId, participantId: actor.id, accountId: actor.id, ...named(given) };
    return [
      { type: 'SessionCreated', data: created },
      { type: 'ParticipantJoined', data: { ...host, role: 'facilitator' } },
    ];
  },
);

const named = (given: { readonly displayName?: string | undefined }) =>
  given.displayName === undefined ? {} : { displayName: given.displayName };

/**
 * Enters the session, for the first time or again; who is in it already changes nothing. The first non-observer to come
 * to a session without facilitator becomes facilitator.
 */
export const joinSession = command(
  'JoinSession',
  z
    .object({
      sessionId: sessionRef.optional(),
      code: z.string().trim().max(100).optional().describe('Instead of the id'),
      displayName: displayName.describe('Name in this session; the name of the profile when omitted'),
      asObserver: z.boolean().optional(),
    })
    .refine(({ sessionId, code }) => sessionId !== undefined || code !== undefined, {
      path: ['code'],
      message: 'The code of a session is missing',
    }),
  ({ asObserver = false, ...given }, state, { actor }) => {
    if (state.id === null) return sessionUnknown();
    const before = state.participants[actor.id]?.membership;
    if (before === 'removed') return reject('FORBIDDEN', 'removed', 'You were removed from this session');
    const ended = closed(state);
    if (ended !== undefined) return ended;
    if (before === 'in') return [];
    if (asObserver && !state.settings.allowObservers) return observersNotAllowed();
    if (present(state).length >= MAX_PARTICIPANTS)
      return reject('CONFLICT', 'session-full', `A session takes ${MAX_PARTICIPANTS} participants`);
    const role = asObserver ? 'observer' : state.facilitatorId === null ? 'facilitator' : 'voter';
    const who = { sessionId: state.id, participantId: actor.id };
    return before === 'left'
      ? [{ type: 'ParticipantRejoined', data: { ...who, ...named(given), role } }]
      : [{ type: 'ParticipantJoined', data: { ...who, accountId: actor.id, ...named(given), role } }];
  },
);

const transferred = (sessionId: string, from: string, to: string, reason: 'left' | 'transfer'): SessionEvent => ({
  type: 'FacilitatorTransferred',
  data: { sessionId, from, to, reason },
});

/** Who takes over from a facilitator who leaves: the voter longest there, else the observer longest there. */
const successorOf = (state: Session, leaving: string): string | undefined => {
  const others = present(state).filter(({ id }) => id !== leaving);
  return (others.find(({ role }) => role === 'voter') ?? others[0])?.id;
};

/** Somebody's way out of an open session: an unrevealed card is dropped, and a facilitator hands over. */
const leaving = (state: Session, participantId: string): readonly SessionEvent[] | Rejection => {
  const membership = state.participants[participantId]?.membership;
  if (state.id === null || membership === undefined || membership === 'removed') return sessionUnknown();
  const ended = closed(state);
  if (ended !== undefined) return ended;
  if (membership === 'left') return reject('CONFLICT', 'not-in-session', 'You have left this session already');
  const left: SessionEvent = { type: 'ParticipantLeft', data: { sessionId: state.id, participantId } };
  const successor = state.facilitatorId === participantId ? successorOf(state, participantId) : undefined;
  return successor === undefined ? [left] : [left, transferred(state.id, participantId, successor, 'left')];
};

/** Leaves the session; an unrevealed card is dropped, and a facilitator hands over. */
export const leaveSession = command('LeaveSession', z.object({ sessionId: sessionRef }), (_input, state, { actor }) =>
  leaving(state, actor.id),
);

/** The same for somebody whose account was closed. Nothing when he is not there any more. */
export const withdrawParticipant = command(
  'WithdrawParticipant',
  z.object({ sessionId: uuid, participantId: uuid }),
  ({ participantId }, state) =>
    state.closed !== null || state.participants[participantId]?.membership !== 'in'
      ? []
      : leaving(state, participantId),
);

const participantUnknown = (): Rejection =>
  reject('NOT_FOUND', 'participant-unknown', 'The session has no such participant');

/** Turns somebody out for good; an unrevealed card is dropped. */
export const removeParticipant = command(
  'RemoveParticipant',
  z.object({ sessionId: sessionRef, participantId: uuid }),
  ({ participantId }, state, { actor }) => {
    const outsider = notTakingPart(state, actor);
    if (state.id === null || outsider !== undefined) return outsider ?? sessionUnknown();
    const membership = state.participants[participantId]?.membership;
    if (membership === undefined) return participantUnknown();
    const refusal = notFacilitating(state, actor) ?? closed(state);
    if (refusal !== undefined) return refusal;
    if (participantId === actor.id) return reject('CONFLICT', 'own-removal', 'Leave the session instead');
    if (membership === 'removed') return [];
    return [{ type: 'ParticipantRemoved', data: { sessionId: state.id, participantId, by: actor.id } }];
  },
);

const handOver = (state: Session, actor: Actor, participantId: string): readonly SessionEvent[] | Rejection => {
  const outsider = notTakingPart(state, actor);
  if (state.id === null || outsider !== undefined) return outsider ?? sessionUnknown();
  const membership = state.participants[participantId]?.membership;
  if (membership === undefined) return participantUnknown();
  const refusal = notFacilitating(state, actor) ?? closed(state);
  if (refusal !== undefined) return refusal;
  if (participantId === actor.id) return [];
  if (membership !== 'in') return reject('CONFLICT', 'not-in-session', 'The participant is not in the session');
  return [transferred(state.id, actor.id, participantId, 'transfer')];
};

/** Makes another participant the facilitator; the former one becomes a voter. */
export const transferFacilitator = command(
  'TransferFacilitator',
  z.object({ sessionId: sessionRef, participantId: uuid }),
  ({ participantId }, state, { actor }) => handOver(state, actor, participantId),
);

/**
 * Makes a participant a voter or an observer, by the facilitator or the participant; `facilitator` hands the session
 * over. A voter who turns observer loses an unrevealed card.
 */
export const changeParticipantRole = command(
  'ChangeParticipantRole',
  z.object({ sessionId: sessionRef, participantId: uuid, role: z.enum(['facilitator', 'voter', 'observer']) }),
  ({ participantId, role }, state, { actor }) => {
    if (role === 'facilitator') return handOver(state, actor, participantId);
    const outsider = notTakingPart(state, actor);
    if (state.id === null || outsider !== undefined) return outsider ?? sessionUnknown();
    const participant = state.participants[participantId];
    if (participant === undefined) return participantUnknown();
    if (participantId !== actor.id && state.facilitatorId !== actor.id) return notFacilitator();
    const ended = closed(state);
    if (ended !== undefined) return ended;
    if (participant.membership !== 'in')
      return reject('CONFLICT', 'not-in-session', 'The participant is not in the session');
    if (participant.role === role) return [];
    if (role === 'observer' && !state.settings.allowObservers) return observersNotAllowed();
    if (participant.role === 'facilitator')
      return reject('CONFLICT', 'facilitator-needed', 'Hand the session over to somebody else first');
    const leads = role === 'voter' && state.facilitatorId === null;
    const data = { sessionId: state.id, participantId, role: leads ? ('facilitator' as const) : role };
    return [{ type: 'ParticipantRoleChanged', data }];
  },
);

const sameCards = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((card, index) => card === b[index]);

/** Changes name, description or settings; what is left out stays as it is. The deck stays while a round is open. */
export const updateSessionSettings = command(
  'UpdateSessionSettings',
  z.object({
    sessionId: sessionRef,
    name: Name.optional(),
    description: Description.optional(),
    settings: SettingsInput.optional(),
  }),
  ({ name, description, settings = {} }, state, { actor }) => {
    const refusal = notFacilitating(state, actor) ?? closed(state);
    if (state.id === null || refusal !== undefined) return refusal ?? sessionUnknown();
    const after = withChange(state.settings, settings);
    if ('message' in after) return reject('VALIDATION_ERROR', 'deck-unusable', after.message, after.field);
    if (state.round !== null && !sameCards(cardsOf(state.settings), cardsOf(after)))
      return reject('CONFLICT', 'round-open', 'The deck stays while a round is open');
    const renamed = name !== undefined && name !== state.name;
    const redescribed = description !== undefined && description !== (state.description ?? '');
    if (!renamed && !redescribed && JSON.stringify(after) === JSON.stringify(state.settings)) return [];
    const texts = { ...(renamed ? { name } : {}), ...(redescribed ? { description } : {}) };
    return [{ type: 'SessionSettingsUpdated', data: { sessionId: state.id, settings: after, ...texts } }];
  },
);
