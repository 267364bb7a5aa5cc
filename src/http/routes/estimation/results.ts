import { CSV_START, csvLine } from '../../../files/csv.ts';
import { namesIn } from '../../../projections/estimation/sessionNames.ts';
import type { SessionRow } from '../../../projections/estimation/sessions.ts';
import { type StoryRound, storiesOf } from '../../../projections/estimation/stories.ts';
import type { Deps } from '../../app.ts';
import { type Names, storyView } from './views.ts';

const HEADER = [
  'order',
  'title',
  'externalRef',
  'url',
  'status',
  'estimate',
  'rounds',
  'votes',
  'average',
  'median',
  'min',
  'max',
  'mode',
  'consensus',
  'cards',
];

/** The cards of a round in one cell: with the names of those who played them, in an anonymous round in deck order alone. */
const cardsOf = ({ votes }: StoryRound, names: Names): string =>
  votes
    .map(({ participantId, value }) =>
      participantId === undefined ? value : `${names.get(participantId) ?? 'former participant'}: ${value}`,
    )
    .join('; ');

/** The stories of a session as a CSV file: figures and cards of the round that was revealed last. */
export const resultsFor = async ({ db }: Deps, { session_id, state }: SessionRow): Promise<string> => {
  const rows = await storiesOf(
    db,
    session_id,
    state.stories.map(({ id }) => id),
  );
  const voters = rows.flatMap(({ rounds }) => (rounds.at(-1)?.votes ?? []).flatMap((vote) => vote.participantId ?? []));
  const names = await namesIn(db, session_id, [...new Set(voters)]);
  const lines = rows.map((row) => {
    const { order, title, externalRef, url, status, estimate, rounds } = storyView(state, row);
    const last = row.rounds.at(-1);
    const story = [order, title, externalRef, url, status, estimate, rounds];
    if (last === undefined) return csvLine([...story, ...HEADER.slice(story.length).map(() => null)]);
    const { count, average, median, min, max, mode, consensus } = last.statistics;
    return csvLine([...story, count, average, median, min, max, mode.join('; '), consensus, cardsOf(last, names)]);
  });
  return `${CSV_START}${csvLine(HEADER)}${lines.join('')}`;
};
