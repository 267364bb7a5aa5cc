import { z } from 'zod';
import type { events } from '../../../domain/estimation/session/index.ts';
import type { historyOf } from '../../../projections/estimation/sessionHistory.ts';
import type { Names } from './views.ts';

/** One thing that happened in a session. */
export const HistoryEntry = z.object({
  at: z.iso.datetime(),
  type: z.string(),
  actor: z.object({ id: z.string(), displayName: z.string().nullable() }),
  summary: z.string(),
});

/** What an event means to people, by type. */
export const SUMMARIES: Readonly<Record<keyof typeof events, string>> = {
  SessionCreated: 'created the session',
  ParticipantJoined: 'joined',
  ParticipantRejoined: 'came back',
  ParticipantLeft: 'left',
  ParticipantRemoved: 'removed {participant}',
  ParticipantRoleChanged: 'made {participant} {detail}',
  FacilitatorTransferred: 'handed the session over to {participant}',
  SessionSettingsUpdated: 'changed the settings',
  StoryAdded: 'added the story {story}',
  StoryUpdated: 'rewrote the story {story}',
  StoryRemoved: 'removed the story {story}',
  StoriesReordered: 'put the stories in another order',
  VotingOpened: 'opened round {round} of {story}',
  VoteCast: 'voted in round {round} of {story}',
  VoteChanged: 'changed the vote in round {round} of {story}',
  VoteRetracted: 'took back the vote in round {round} of {story}',
  VotesRevealed: 'revealed round {round} of {story}',
  VotingRestarted: 'started round {round} of {story}',
  EstimateAccepted: 'accepted {detail} for {story}',
  StorySkipped: 'skipped {story}',
  SessionCompleted: 'completed the session',
  SessionExpired: 'ended the session, in which nothing happened any more',
  SessionArchived: 'archived the session',
};
const isEventType = (type: string): type is keyof typeof events => type in SUMMARIES;

type HistoryRow = Awaited<ReturnType<typeof historyOf>>['rows'][number];
/** What happened, in words and with names: who voted, never what. */
export const summaryOf = (row: HistoryRow, names: Names): string => {
  const values: Readonly<Record<string, string>> = {
    participant: names.get(row.participant_id ?? '') ?? 'a participant',
    story: row.title ?? 'a story',
    round: String(row.round ?? ''),
    detail: row.detail ?? '',
  };
  const text = isEventType(row.type) ? SUMMARIES[row.type] : row.type;
  return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? '');
};
