export { archiveSession, completeSession } from './closing.ts';
export { events, RevealedVote, Role, type SessionEvent, Totals } from './events.ts';
export { CODE, sessionRef, sessionUnknown } from './guards.ts';
export {
  changeParticipantRole,
  createSession,
  joinSession,
  leaveSession,
  removeParticipant,
  transferFacilitator,
  updateSessionSettings,
} from './lobby.ts';
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
export { acceptEstimate, addStory, skipStory } from './stories.ts';
export { castVote, openVoting, restartVoting, retractVote, revealVotes } from './voting.ts';
