import type { z } from 'zod';
import { SessionStatusName, type Summary } from '../../../commands/estimation/answers.ts';
import { MINUTE_MS } from '../../../domain/durations.ts';
import { totalsOf } from '../../../domain/estimation/session/index.ts';
import { namesIn } from '../../../projections/estimation/sessionNames.ts';
import type { SessionRow } from '../../../projections/estimation/sessions.ts';
import { storiesOf } from '../../../projections/estimation/stories.ts';
import type { Deps } from '../../app.ts';
import { storyView } from './views.ts';

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
    durationMinutes: Math.round((Date.parse(end) - Date.parse(row.created_at)) / MINUTE_MS),
  };
};
