export * from './backlog.ts';
export * from './closing.ts';
export { events, RevealedVote, Role, type SessionEvent, Totals } from './events.ts';
export { CODE, sessionRef, sessionUnknown } from './guards.ts';
export * from './lobby.ts';
export { cardsOf, Settings } from './settings.ts';
export {
  awaited,
  present,
  resultOf,
  type Session,
  type SessionStatus,
  type Story,
  session,
  statusOf,
  storyOf,
  totalsOf,
  votesCast,
} from './state.ts';
export * from './stories.ts';
export * from './voting.ts';
