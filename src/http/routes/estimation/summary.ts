import { z } from 'zod';
import { ParticipantView, SessionStatusName, StoryStatusName } from '../../../commands/estimation/answers.ts';
import { Totals, totalsOf } from '../../../domain/estimation/session/index.ts';
import { uuid } from '../../../domain/fields.ts';
import { namesIn } from '../../../projections/estimation/sessionNames.ts';
import type { SessionRow } from '../../../projections/estimation/sessions.ts';
import { storiesOf } from '../../../projections/estimation/stories.ts';
import type { Deps } from '../../app.ts';
import { storyView } from './views.ts';

/** What a session came to. */
export const Summary = z.object({
  id: uuid,
  name: z.string(),
  status: SessionStatusName,
  totals: Totals,
  stories: z.array(
    z.object({
      id: uuid,
      title: z.string(),
      status: StoryStatusName,
      estimate: z.string().nullable(),
      rounds: z.int(),
      spread: z
        .object({ min: z.number().nullable(), max: z.number().nullable(), average: z.number().nullable() })
        .nullable()
        .describe('Of the round revealed last'),
    }),
  ),
  participants: z.array(ParticipantView.pick({ id: true, displayName: true, role: true })),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime().nullable().describe('When it was completed or expired'),
  durationMinutes: z.int(),
});

const MINUTE = 60_000;
/** The summary of one session, with names. */
export const summaryFor = async ({ db }: Deps, row: SessionRow): Promise<z.output<typeof Summary>> => {
  const { state } = row;
  const rows = await storiesOf(
    db,
    row.session_id,
    state.stories.map(({ id }) => id),
  );
  const people = Object.entries(state.participants)
    .filter(([, { membership }]) => membership !== 'removed')
    .sort(([, a], [, b]) => a.arrival - b.arrival);
  const names = await namesIn(
    db,
    row.session_id,
    people.map(([id]) => id),
  );
  const end = row.ended_at ?? row.last_activity_at;
  return {
    id: row.session_id,
    name: row.name,
    status: SessionStatusName.parse(row.status),
    totals: totalsOf(state),
    stories: rows.map((story) => {
      const { id, title, status, estimate, rounds } = storyView(state, story);
      const last = story.rounds.at(-1)?.statistics;
      const spread = last === undefined ? null : { min: last.min, max: last.max, average: last.average };
      return { id, title, status, estimate, rounds, spread };
    }),
    participants: people.map(([id, { role }]) => ({ id, displayName: names.get(id) ?? null, role })),
    startedAt: row.created_at,
    completedAt: row.ended_at,
    durationMinutes: Math.round((Date.parse(end) - Date.parse(row.created_at)) / MINUTE),
  };
};
