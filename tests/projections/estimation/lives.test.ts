/**
 * What queries and live messages tell of a session, against the plain model of it: whatever is done, the read models, and
 * a client that knows nothing but the messages of the topic, come to the picture that the model has.
 */
import assert from 'node:assert/strict';
import t from 'tap';
import type { SessionEvent } from '../../../src/domain/estimation/session/index.ts';
import type { Recorded } from '../../../src/eventstore/event.ts';
import { sessionTopic } from '../../../src/http/live/sessionTopic.ts';
import type { Message } from '../../../src/http/live/topics.ts';
import { ownVotes } from '../../../src/projections/estimation/ownVotes.ts';
import { sessionHistory } from '../../../src/projections/estimation/sessionHistory.ts';
import { sessionMembers } from '../../../src/projections/estimation/sessionMembers.ts';
import { estimationSessions, type SessionRow } from '../../../src/projections/estimation/sessions.ts';
import { estimationStories } from '../../../src/projections/estimation/stories.ts';
import type { AnyProjection } from '../../../src/projections/projection.ts';
import { sessionModel } from '../../domain/estimation/session.model.ts';
import { play } from '../../support/model.ts';
import { id } from '../../support/spec.ts';

type World = ReturnType<typeof sessionModel.world>;
type Row = Readonly<Record<string, unknown>>;

/** A read model in memory. */
const table = (projection: AnyProjection) => {
  const rows = new Map<string, Row>();
  return {
    rows,
    take: (event: Recorded): void => {
      const fold = projection.fold[event.type];
      if (fold === undefined) return;
      for (const key of [projection.key.of(event as never)].flat()) {
        const row = fold(rows.get(key) as never, event as never, key) as Row | undefined;
        if (row === undefined) rows.delete(key);
        else rows.set(key, JSON.parse(JSON.stringify(row)));
      }
    },
  };
};

type Data = {
  readonly participantId: string;
  readonly role: string;
  readonly storyId: string;
  readonly change: string;
  readonly title?: string;
  readonly storyIds: readonly string[];
  readonly hasVoted: boolean;
};

/** What a client knows who listens from the beginning and never asks. */
const listener = () => {
  const people = new Map<string, string>();
  let stories: { readonly id: string; readonly title: string }[] = [];
  let round: { readonly storyId: string; readonly voted: Set<string> } | null = null;
  const hear = ({ event, data: told }: Message): void => {
    const data = told as Data;
    const { participantId, role, storyId, change } = data;
    if (event === 'session:participant-joined' || event === 'session:participant-changed')
      people.set(participantId, role);
    if (event === 'session:participant-changed' && role === 'observer') round?.voted.delete(participantId);
    if (event === 'session:participant-left') {
      people.delete(participantId);
      round?.voted.delete(participantId);
    }
    if (event === 'session:voting-opened') round = { storyId, voted: new Set() };
    if (event === 'session:vote-cast')
      if (data.hasVoted) round?.voted.add(participantId);
      else round?.voted.delete(participantId);
    if (/^session:(?:votes-revealed|completed|expired)$/.test(event)) round = null;
    if (event !== 'session:story-changed') return;
    if (change === 'added') stories.push({ id: storyId, title: data.title ?? '' });
    if (change === 'updated')
      stories = stories.map((story) => (story.id === storyId ? { ...story, title: data.title ?? story.title } : story));
    if (change === 'removed') stories = stories.filter((story) => story.id !== storyId);
    if (change === 'reordered')
      stories = data.storyIds.flatMap((wanted) => stories.filter((story) => story.id === wanted));
    if (change === 'skipped' && round?.storyId === storyId) round = null;
  };
  return {
    hear,
    known: () => ({
      people: [...people].sort(),
      stories,
      round: round && { storyId: round.storyId, voted: [...round.voted].sort() },
    }),
  };
};

/** Everything that follows from the events of one life. */
const follower = () => {
  const tables = {
    sessions: table(estimationSessions),
    members: table(sessionMembers),
    stories: table(estimationStories),
    votes: table(ownVotes),
    history: table(sessionHistory),
  };
  const client = listener();
  let seen = 0;
  return {
    tables,
    known: client.known,
    take: (history: readonly SessionEvent[], now: Date, cards: readonly string[]): void => {
      for (const { type, data } of history.slice(seen)) {
        const event = {
          id: id(`event ${seen}`),
          type,
          data,
          stream: `estimationSession-${data.sessionId}`,
          revision: seen,
          position: BigInt(seen + 1),
          recordedAt: now.toISOString(),
          schemaVersion: 1,
          metadata: { commandId: 'c', command: 'Test', correlationId: 'c', actor: { id: 'test', kind: 'user' } },
        } as unknown as Recorded;
        seen += 1;
        for (const { take } of Object.values(tables)) take(event);
        const on = sessionTopic.on[event.type] as ((event: Recorded) => readonly Message[]) | undefined;
        for (const message of on?.(event) ?? []) {
          sessionTopic.messages[message.event]?.parse(message.data);
          if (!/votes-revealed|settings-changed|estimate-accepted/.test(message.event))
            // As a value of its own: the digits of an id may happen to spell one.
            for (const card of cards)
              assert.ok(!JSON.stringify(message.data).includes(JSON.stringify(card)), `${message.event} tells a card`);
          client.hear(message);
        }
      }
    },
  };
};

const followers = new WeakMap<World, ReturnType<typeof follower>>();

const compare = (world: World, history: readonly SessionEvent[], moment: { readonly now: Date }): void => {
  const cards = [...(world.round?.cards ?? [])];
  const follows = followers.get(world) ?? follower();
  followers.set(world, follows);
  follows.take(
    history,
    moment.now,
    cards.map(([, card]) => card),
  );
  const { sessions, members, stories, votes, history: entries } = follows.tables;
  const inside = [...world.people].filter(([, { where }]) => where === 'in');

  assert.deepEqual(
    follows.known(),
    {
      people: inside.map(([id, { role }]) => [id, role]).sort(),
      stories: [...world.stories].map(([id, { title }]) => ({ id, title })),
      round: world.round ? { storyId: world.round.storyId, voted: cards.map(([id]) => id).sort() } : null,
    },
    'who only listens knows what there is to know',
  );

  const [row] = [...sessions.rows.values()] as unknown as readonly SessionRow[];
  assert.equal(row !== undefined, world.exists);
  if (row === undefined) return;
  const expected = sessionModel.expected(world, moment as never) as {
    readonly round: null | { readonly cards: unknown };
  };
  const blank = expected.round && { ...expected.round, cards: cards.map(([id]) => [id, '']).sort() };
  assert.deepEqual(
    sessionModel.seen(row.state, moment as never),
    { ...expected, round: blank },
    'the session is shown',
  );
  const { customDeck: _deck, ...settings } = row.state.settings;
  const shown = JSON.stringify({ ...row, state: { ...row.state, settings, result: null } });
  for (const [, card] of cards) assert.ok(!shown.includes(`"${card}"`) || estimated(world, card), 'and no card of it');
  assert.deepEqual(
    [row.version, row.participant_count, row.story_count, row.estimated_count, row.ended_at !== null],
    [
      history.length - 1,
      inside.length,
      world.stories.size,
      [...world.stories.values()].filter(({ status }) => status === 'estimated').length,
      world.over !== undefined,
    ],
  );

  assert.deepEqual(
    [...members.rows.values()]
      .map(({ participant_id, membership, role }) => `${participant_id} ${membership} ${role}`)
      .sort(),
    [...world.people].map(([id, { where, role }]) => `${id} ${where} ${role}`).sort(),
    'everybody finds the session in the list',
  );
  assert.deepEqual(
    [...stories.rows.values()]
      .flatMap(({ story_id, title, url, removed }) => (removed ? [] : [[story_id, title, url]]))
      .sort(),
    [...world.stories].map(([id, { title, url }]) => [id, title, url]).sort(),
    'the stories are those of the list',
  );
  const open = row.state.round;
  assert.deepEqual(
    [...votes.rows.values()]
      .filter(({ story_id, round }) => open !== null && open.storyId === story_id && open.number === round)
      .map(({ vote_id, value }) => [String(vote_id).split('~')[1], value])
      .sort(),
    cards.sort(),
    'everybody finds the own card, and no other',
  );
  assert.equal(entries.rows.size, history.length, 'the history is whole');
};

/** Whether the card was accepted as somebody's estimate by chance. */
const estimated = ({ stories }: World, card: string): boolean =>
  [...stories.values()].some(({ estimate }) => estimate === card);

t.test('any life of a session is told as it was, by queries and by messages', async (t) =>
  play(t, {
    ...sessionModel,
    always: (state, world, history, moment) => {
      sessionModel.always?.(state, world, history, moment);
      compare(world, history, moment);
    },
  }),
);
