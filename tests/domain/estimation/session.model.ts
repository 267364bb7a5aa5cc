import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sessionStatus } from '../../../src/commands/estimation/answers.ts';
import type { Actor } from '../../../src/domain/decider.ts';
import * as commands from '../../../src/domain/estimation/session/index.ts';
import {
  acceptEstimate,
  addStory,
  archiveSession,
  castVote,
  changeParticipantRole,
  completeSession,
  createSession,
  endRound as endByTimer,
  expireSession,
  importStories,
  joinSession,
  leaveSession,
  openVoting,
  removeParticipant,
  removeStory,
  reorderStories,
  restartVoting,
  retractVote,
  revealVotes,
  revealWhenComplete,
  session,
  skipStory,
  transferFacilitator,
  updateSessionSettings,
  updateStory,
  withdrawParticipant,
} from '../../../src/domain/estimation/session/index.ts';
import { model, movesIn, named, person } from '../../support/model.ts';
import { system } from '../../support/spec.ts';

const PEOPLE = ['fay', 'vic', 'wim', 'obi', 'eve'].map((name) => person(name));
const [fay = person('fay')] = PEOPLE;
/** Everybody plays cards that nobody else plays, so that a card seen tells whose it is. */
const cardsOf = (who: number): readonly string[] => [0, 1].map((card) => `c${who}${card}`);
const DECK = PEOPLE.flatMap((_person, who) => cardsOf(who));
const sessionId = named('session#0');

type Role = 'facilitator' | 'voter' | 'observer';
type Person = { role: Role; where: 'in' | 'left' | 'removed'; since: number };
type Story = {
  title: string;
  url: string | null;
  status: 'pending' | 'voting' | 'revealed' | 'estimated' | 'skipped';
  estimate: string | null;
  rounds: number;
};
type Round = {
  readonly storyId: string;
  readonly anonymous: boolean;
  readonly cards: Map<string, string>;
};
type Settings = {
  deck: 'custom' | 'fibonacci';
  autoReveal: boolean;
  allowObservers: boolean;
  roundTimerSeconds: number;
  anonymousVotes: boolean;
  whoCanAddStories: 'facilitator' | 'everyone';
};
type World = {
  exists: boolean;
  settings: Settings;
  readonly people: Map<string, Person>;
  arrivals: number;
  readonly stories: Map<string, Story>;
  round: Round | undefined;
  over: 'completed' | 'expired' | 'archived' | undefined;
  /** When something has happened last, and how many events there were with it. */
  last: { at: number; changes: number };
};
const on = movesIn<World>();

const inside = ({ people }: World): [string, Person][] =>
  [...people].filter(([, { where }]) => where === 'in').sort(([, a], [, b]) => a.since - b.since);
const leader = (world: World): string | undefined => inside(world).find(([, { role }]) => role === 'facilitator')?.[0];

/** Why somebody may not speak in the session at all. */
const silenced = ({ people }: World, { id }: Actor): string | undefined => {
  const where = people.get(id)?.where;
  return where === 'in' ? undefined : where === 'left' ? 'left-session' : 'session-unknown';
};
const closed = ({ over }: World): string | undefined => (over === undefined ? undefined : 'session-closed');
const notLeading = (world: World, actor: Actor): string | undefined =>
  silenced(world, actor) ?? (leader(world) === actor.id ? undefined : 'not-facilitator');
/** What keeps somebody from leading through a story. */
const notLed = (world: World, actor: Actor, storyId: string): string | undefined => {
  const silent = silenced(world, actor);
  if (silent !== undefined) return silent;
  return world.stories.has(storyId) ? (notLeading(world, actor) ?? closed(world)) : 'story-unknown';
};
const leave = (world: World, id: string, where: 'left' | 'removed'): void => {
  const gone = world.people.get(id);
  if (gone !== undefined) Object.assign(gone, { where, role: gone.role === 'observer' ? 'observer' : 'voter' });
  world.round?.cards.delete(id);
};
/** The events of somebody's way out, who hands over what he led. */
const walkOut = (world: World, id: string) => {
  const led = leader(world) === id;
  leave(world, id, 'left');
  const others = inside(world);
  const heir = others.find(([, { role }]) => role === 'voter') ?? others[0];
  if (!led || heir === undefined) return ['ParticipantLeft'];
  heir[1].role = 'facilitator';
  return ['ParticipantLeft', { type: 'FacilitatorTransferred', data: { to: heir[0], reason: 'left' } }];
};
/** Who is waited for: the voters, and a facilitator who plays or has nobody to play for him. */
const awaited = (world: World): string[] => {
  const voters = inside(world)
    .filter(([, { role }]) => role === 'voter')
    .map(([id]) => id);
  const lead = leader(world);
  const plays = lead !== undefined && (voters.length === 0 || world.round?.cards.has(lead));
  return plays ? [...voters, lead] : voters;
};

const who = fc.nat(PEOPLE.length - 1);
const someone = (index: number): Actor => PEOPLE[index] ?? fay;
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
/** Mostly the facilitator, who keeps the session going. */
const leading = rarely(who);
const leadBy = (world: World, drawn: number | null): Actor =>
  drawn === null ? (PEOPLE.find(({ id }) => id === leader(world)) ?? fay) : someone(drawn);
const bySystem = fc.constantFrom(false, false, false, true);
const place = fc.oneof({ weight: 8, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.constant(9) });
const storyAt = ({ stories }: World, index: number): string => [...stories.keys()][index] ?? named('no story');
/** Mostly the story that is being voted on. */
const onTable = rarely(place);
const tableAt = (world: World, drawn: number | null): string =>
  drawn === null ? (world.round?.storyId ?? storyAt(world, 0)) : storyAt(world, drawn);
/** Mostly a story that has a result. */
const withResult = rarely(place);
const resultAt = (world: World, drawn: number | null): string =>
  drawn === null
    ? ([...world.stories].find(([, { status }]) => status === 'revealed' || status === 'estimated')?.[0] ??
      named('no story'))
    : storyAt(world, drawn);
const settingsArbitrary = fc.record(
  {
    autoReveal: fc.boolean(),
    allowObservers: fc.constantFrom(true, true, false),
    roundTimerSeconds: fc.constantFrom(0, 60),
    anonymousVotes: fc.boolean(),
    whoCanAddStories: fc.constantFrom('facilitator' as const, 'everyone' as const),
  },
  { requiredKeys: [] },
);
const open = (world: World, storyId: string, now: Date): { readonly type: string; readonly data: object } => {
  const { settings, stories } = world;
  const story = stories.get(storyId) as Story;
  Object.assign(story, { status: 'voting', rounds: story.rounds + 1 });
  const seconds = settings.roundTimerSeconds;
  world.round = { storyId, anonymous: settings.anonymousVotes, cards: new Map() };
  const deadline = seconds === 0 ? undefined : new Date(now.getTime() + seconds * 1000).toISOString();
  return { type: 'VotingOpened', data: { round: story.rounds, anonymous: settings.anonymousVotes, deadline } };
};
const endRound = (world: World): void => {
  const story = world.round && world.stories.get(world.round.storyId);
  if (story !== undefined) story.status = story.estimate === null ? 'pending' : 'estimated';
  world.round = undefined;
};
const fresh = (title: string): Story => ({ title, url: null, status: 'pending', estimate: null, rounds: 0 });
/** What keeps somebody from reworking a story. */
const notReworked = (world: World, actor: Actor, storyId: string): string | undefined =>
  notLed(world, actor, storyId) ?? (world.round?.storyId === storyId ? 'round-open' : undefined);
/** The cards of the open round turned over. */
const turnOver = (world: World, round: Round): { readonly type: string; readonly data: object } => {
  const votes = round.anonymous
    ? DECK.filter((card) => [...round.cards.values()].includes(card)).map((value) => ({ value }))
    : inside(world)
        .filter(([id]) => round.cards.has(id))
        .map(([participantId]) => ({ participantId, value: round.cards.get(participantId) }));
  Object.assign(world.stories.get(round.storyId) as Story, { status: 'revealed' });
  world.round = undefined;
  return { type: 'VotesRevealed', data: { storyId: round.storyId, votes, anonymous: round.anonymous } };
};
/** Sets a story aside; one that was being estimated anew keeps the estimate that it had. */
const setAside = (world: World, storyId: string): { readonly type: string; readonly data: object } => {
  const story = world.stories.get(storyId) as Story;
  const own = world.round?.storyId === storyId;
  if (own && story.estimate !== null) story.status = 'estimated';
  else Object.assign(story, { status: 'skipped', estimate: null });
  if (own) world.round = undefined;
  return { type: 'StorySkipped', data: { storyId } };
};

/** What came of the stories, cards being words: estimates that are no numbers give no points. */
const totals = ({ stories }: World) => {
  const all = [...stories.values()];
  const estimated = all.filter(({ status }) => status === 'estimated');
  return {
    stories: all.length,
    estimated: estimated.length,
    skipped: all.filter(({ status }) => status === 'skipped').length,
    points: estimated.reduce((sum, { estimate }) => sum + (Number(estimate) || 0), 0),
  };
};

/** One session: who is in it and leads it, its stories, and rounds whose cards stay hidden until the reveal. */
export const sessionModel = model({
  decider: session,
  commands,
  world: (): World => ({
    exists: false,
    settings: {
      deck: 'custom',
      autoReveal: false,
      allowObservers: true,
      roundTimerSeconds: 0,
      anonymousVotes: false,
      whoCanAddStories: 'facilitator',
    },
    people: new Map(),
    arrivals: 0,
    stories: new Map(),
    round: undefined,
    over: undefined,
    last: { at: 0, changes: 0 },
  }),
  first: 'create',
  waits: [1000, 60_000, 8 * 3_600_000 - 1, 8 * 3_600_000],
  length: 90,
  lives: 200,
  moves: {
    create: on(
      fc.record({ settings: settingsArbitrary, reserved: fc.constantFrom(true, true, true, false) }),
      ({ settings, reserved }, world) => ({
        command: createSession,
        input: { name: 'Sprint', settings: { deck: 'custom', customDeck: DECK, ...settings } },
        actor: fay,
        facts: reserved ? { code: 'ABC234' } : {},
        expect: () => {
          if (world.exists) return 'session-exists';
          if (!reserved) return 'code-not-reserved';
          world.exists = true;
          Object.assign(world.settings, settings);
          world.people.set(fay.id, { role: 'facilitator', where: 'in', since: world.arrivals++ });
          return ['SessionCreated', { type: 'ParticipantJoined', data: { role: 'facilitator' } }];
        },
      }),
    ),
    join: on(
      fc.record({ who, asObserver: fc.constantFrom(false, false, true) }),
      ({ who, asObserver }, world) => ({
        command: joinSession,
        input: { sessionId, asObserver },
        actor: someone(who),
        twice: 'nothing',
        expect: () => {
          if (!world.exists) return 'session-unknown';
          const { id } = someone(who);
          const before = world.people.get(id)?.where;
          if (before === 'removed') return 'removed';
          if (world.over !== undefined) return 'session-closed';
          if (before === 'in') return [];
          if (asObserver && !world.settings.allowObservers) return 'observers-not-allowed';
          const role = asObserver ? 'observer' : leader(world) === undefined ? 'facilitator' : 'voter';
          world.people.set(id, { role, where: 'in', since: world.arrivals++ });
          return [{ type: before === 'left' ? 'ParticipantRejoined' : 'ParticipantJoined', data: { role } }];
        },
      }),
      5,
    ),
    leave: on(who, (index, world) => ({
      command: leaveSession,
      input: { sessionId },
      actor: someone(index),
      expect: () => {
        const { id } = someone(index);
        const where = world.people.get(id)?.where;
        if (where === undefined || where === 'removed') return 'session-unknown';
        if (world.over !== undefined) return 'session-closed';
        return where === 'left' ? 'not-in-session' : walkOut(world, id);
      },
    })),
    withdraw: on(
      who,
      (index, world) => {
        const { id } = someone(index);
        return {
          command: withdrawParticipant,
          input: { sessionId, participantId: id },
          actor: system,
          twice: 'nothing',
          expect: () => (world.over !== undefined || world.people.get(id)?.where !== 'in' ? [] : walkOut(world, id)),
        };
      },
      0.5,
    ),
    remove: on(
      fc.record({ by: leading, whom: who }),
      ({ by, whom }, world) => {
        const [actor, { id }] = [leadBy(world, by), someone(whom)];
        return {
          command: removeParticipant,
          input: { sessionId, participantId: id },
          actor,
          twice: 'nothing',
          expect: () => {
            const silent = silenced(world, actor);
            if (silent !== undefined) return silent;
            const target = world.people.get(id);
            if (target === undefined) return 'participant-unknown';
            const refused = notLeading(world, actor) ?? closed(world);
            if (refused !== undefined) return refused;
            if (id === actor.id) return 'own-removal';
            if (target.where === 'removed') return [];
            leave(world, id, 'removed');
            return [{ type: 'ParticipantRemoved', data: { participantId: id, by: actor.id } }];
          },
        };
      },
      0.5,
    ),
    'hand over': on(
      fc.record({ by: leading, whom: who, byRole: fc.boolean() }),
      ({ by, whom, byRole }, world) => {
        const [actor, { id }] = [leadBy(world, by), someone(whom)];
        const input = { sessionId, participantId: id };
        return {
          ...(byRole
            ? { command: changeParticipantRole, input: { ...input, role: 'facilitator' } }
            : { command: transferFacilitator, input }),
          actor,
          expect: () => {
            const silent = silenced(world, actor);
            if (silent !== undefined) return silent;
            const target = world.people.get(id);
            if (target === undefined) return 'participant-unknown';
            const refused = notLeading(world, actor) ?? closed(world);
            if (refused !== undefined) return refused;
            if (id === actor.id) return [];
            if (target.where !== 'in') return 'not-in-session';
            target.role = 'facilitator';
            (world.people.get(actor.id) as Person).role = 'voter';
            return [{ type: 'FacilitatorTransferred', data: { from: actor.id, to: id, reason: 'transfer' } }];
          },
        };
      },
      2,
    ),
    'change role': on(
      fc.record({ by: leading, whom: fc.option(who), role: fc.constantFrom('voter' as const, 'observer' as const) }),
      ({ by, whom, role }, world) => {
        const actor = leadBy(world, by);
        const id = whom === null ? actor.id : someone(whom).id;
        return {
          command: changeParticipantRole,
          input: { sessionId, participantId: id, role },
          actor,
          expect: () => {
            const silent = silenced(world, actor);
            if (silent !== undefined) return silent;
            const target = world.people.get(id);
            if (target === undefined) return 'participant-unknown';
            if (id !== actor.id && leader(world) !== actor.id) return 'not-facilitator';
            if (world.over !== undefined) return 'session-closed';
            if (target.where !== 'in') return 'not-in-session';
            if (target.role === role) return [];
            if (role === 'observer' && !world.settings.allowObservers) return 'observers-not-allowed';
            if (target.role === 'facilitator') return 'facilitator-needed';
            target.role = role === 'voter' && leader(world) === undefined ? 'facilitator' : role;
            if (role === 'observer') world.round?.cards.delete(id);
            return [{ type: 'ParticipantRoleChanged', data: { participantId: id, role: target.role } }];
          },
        };
      },
      2,
    ),
    settings: on(
      fc.record({
        by: leading,
        settings: settingsArbitrary,
        deck: fc.constantFrom(
          undefined,
          undefined,
          undefined,
          'custom' as const,
          'custom' as const,
          'fibonacci' as const,
        ),
        cards: fc.boolean(),
      }),
      ({ by, settings, deck, cards }, world) => {
        const actor = leadBy(world, by);
        const chosen = { ...settings, ...(deck && { deck }), ...(cards && { customDeck: DECK }) };
        return {
          command: updateSessionSettings,
          input: { sessionId, settings: chosen },
          actor,
          twice: 'nothing',
          expect: () => {
            const refused = notLeading(world, actor) ?? closed(world);
            if (refused !== undefined) return refused;
            const next = deck ?? world.settings.deck;
            const bare = next === 'custom' && !cards && world.settings.deck !== 'custom';
            if (bare || (next !== 'custom' && cards)) return 'deck-unusable';
            if (world.round !== undefined && next !== world.settings.deck) return 'round-open';
            const after = { ...world.settings, ...settings, deck: next };
            const same = JSON.stringify(after) === JSON.stringify(world.settings);
            world.settings = after;
            return same ? [] : ['SessionSettingsUpdated'];
          },
        };
      },
    ),
    'add a story': on(
      leading,
      (by, world, { newId }) => {
        const actor = leadBy(world, by);
        return {
          command: addStory,
          input: { sessionId, title: 'A story' },
          actor,
          expect: () => {
            const silent = silenced(world, actor);
            if (silent !== undefined) return silent;
            const everyone = world.settings.whoCanAddStories === 'everyone';
            if (!everyone && leader(world) !== actor.id) return 'not-facilitator';
            if (world.over !== undefined) return 'session-closed';
            world.stories.set(newId('story'), fresh('A story'));
            return [{ type: 'StoryAdded', data: { order: world.stories.size } }];
          },
        };
      },
      2,
    ),
    import: on(fc.record({ by: leading, count: fc.nat(2) }), ({ by, count }, world, { newId }) => {
      const actor = leadBy(world, by);
      const titles = Array.from({ length: count + 1 }, (_, index) => `Story ${index}`);
      return {
        command: importStories,
        input: { sessionId, stories: titles.map((title) => ({ title })) },
        actor,
        expect: () => {
          const refused = notLeading(world, actor) ?? closed(world);
          if (refused !== undefined) return refused;
          const before = world.stories.size;
          for (const [index, title] of titles.entries()) world.stories.set(newId(`story ${index}`), fresh(title));
          return titles.map((title, index) => ({ type: 'StoryAdded', data: { title, order: before + index + 1 } }));
        },
      };
    }),
    rewrite: on(
      fc.record({
        by: leading,
        place,
        texts: fc.record(
          { title: fc.constantFrom('A story', 'Another'), url: fc.constantFrom(null, 'https://example.org/1') },
          { requiredKeys: [] },
        ),
      }),
      ({ by, place, texts }, world) => {
        const [actor, storyId] = [leadBy(world, by), storyAt(world, place)];
        return {
          command: updateStory,
          input: { sessionId, storyId, ...texts },
          actor,
          twice: 'nothing',
          expect: () => {
            const refused = notReworked(world, actor, storyId);
            if (refused !== undefined) return refused;
            const story = world.stories.get(storyId) as Story;
            const before = JSON.stringify(story);
            Object.assign(story, texts);
            return before === JSON.stringify(story) ? [] : ['StoryUpdated'];
          },
        };
      },
    ),
    'take off': on(
      fc.record({ by: leading, place }),
      ({ by, place }, world) => {
        const [actor, storyId] = [leadBy(world, by), storyAt(world, place)];
        return {
          command: removeStory,
          input: { sessionId, storyId },
          actor,
          expect: () => {
            const refused = notReworked(world, actor, storyId);
            if (refused !== undefined) return refused;
            world.stories.delete(storyId);
            return [{ type: 'StoryRemoved', data: { storyId } }];
          },
        };
      },
      0.5,
    ),
    reorder: on(
      fc.record({ by: leading, swap: fc.boolean(), short: fc.constantFrom(false, false, false, true) }),
      ({ by, swap, short }, world) => {
        const actor = leadBy(world, by);
        const before = [...world.stories.keys()];
        const storyIds = (swap ? before.toReversed() : before).slice(short ? 1 : 0);
        return {
          command: reorderStories,
          input: { sessionId, storyIds },
          actor,
          twice: 'nothing',
          expect: () => {
            const refused = notLeading(world, actor) ?? closed(world);
            if (refused !== undefined) return refused;
            if (storyIds.length !== before.length) return 'stories-differ';
            const stories = storyIds.map((id) => [id, world.stories.get(id) as Story] as const);
            world.stories.clear();
            for (const [id, story] of stories) world.stories.set(id, story);
            return storyIds.join() === before.join() ? [] : [{ type: 'StoriesReordered', data: { storyIds } }];
          },
        };
      },
    ),
    open: on(
      fc.record({ by: leading, place }),
      ({ by, place }, world, { now }) => {
        const [actor, storyId] = [leadBy(world, by), storyAt(world, place)];
        return {
          command: openVoting,
          input: { sessionId, storyId },
          actor,
          expect: () => {
            const refused = notLed(world, actor, storyId);
            if (refused !== undefined) return refused;
            return world.round === undefined ? [open(world, storyId, now)] : 'round-open';
          },
        };
      },
      4,
    ),
    vote: on(
      fc.record({ who, story: onTable, card: fc.oneof({ weight: 9, arbitrary: fc.nat(1) }, fc.constant(9)) }),
      ({ who, story, card }, world) => {
        const [actor, storyId, value] = [someone(who), tableAt(world, story), cardsOf(who)[card] ?? 'nope'];
        return {
          command: castVote,
          input: { sessionId, storyId, value },
          actor,
          twice: 'nothing',
          expect: () => {
            const silent = silenced(world, actor);
            if (silent !== undefined) return silent;
            if (!world.stories.has(storyId)) return 'story-unknown';
            if (world.over !== undefined) return 'session-closed';
            if (world.people.get(actor.id)?.role === 'observer') return 'observer';
            const { round } = world;
            if (round?.storyId !== storyId) return 'round-not-open';
            if (world.settings.deck !== 'custom' || !DECK.includes(value)) return 'not-in-deck';
            const before = round.cards.get(actor.id);
            if (before === value) return [];
            round.cards.set(actor.id, value);
            const type = before === undefined ? 'VoteCast' : 'VoteChanged';
            return [{ type, data: { participantId: actor.id, value, round: world.stories.get(storyId)?.rounds } }];
          },
        };
      },
      12,
    ),
    retract: on(
      fc.record({ who, story: onTable }),
      ({ who, story }, world) => {
        const [actor, storyId] = [someone(who), tableAt(world, story)];
        return {
          command: retractVote,
          input: { sessionId, storyId },
          actor,
          expect: () => {
            const silent = silenced(world, actor);
            if (silent !== undefined) return silent;
            if (!world.stories.has(storyId)) return 'story-unknown';
            if (world.over !== undefined) return 'session-closed';
            if (world.people.get(actor.id)?.role === 'observer') return 'observer';
            if (world.round?.storyId !== storyId) return 'round-not-open';
            return world.round.cards.delete(actor.id) ? ['VoteRetracted'] : 'no-vote';
          },
        };
      },
      2,
    ),
    reveal: on(
      fc.record({ by: leading, story: onTable }),
      ({ by, story }, world) => {
        const [actor, storyId] = [leadBy(world, by), tableAt(world, story)];
        return {
          command: revealVotes,
          input: { sessionId, storyId },
          actor,
          expect: () => {
            const refused = notLed(world, actor, storyId);
            if (refused !== undefined) return refused;
            const { round } = world;
            if (round?.storyId !== storyId) return 'round-not-open';
            return round.cards.size === 0 ? 'no-votes' : [turnOver(world, round)];
          },
        };
      },
      4,
    ),
    'reveal by itself': on(
      fc.subarray(PEOPLE.map(({ id }) => id)),
      (absent, world) => ({
        command: revealWhenComplete,
        input: { sessionId },
        actor: system,
        facts: { absent },
        twice: 'nothing',
        expect: () => {
          const { round, settings } = world;
          if (round === undefined || !settings.autoReveal || round.cards.size === 0) return [];
          const missing = awaited(world).filter((id) => !round.cards.has(id) && !absent.includes(id));
          return missing.length > 0 ? [] : [turnOver(world, round)];
        },
      }),
      3,
    ),
    'time out': on(fc.record({ story: onTable, earlier: fc.constantFrom(0, 0, 0, 1) }), ({ story, earlier }, world) => {
      const storyId = tableAt(world, story);
      const current = world.stories.get(storyId)?.rounds ?? 0;
      return {
        command: endByTimer,
        input: { sessionId, storyId, round: current - earlier },
        actor: system,
        twice: 'nothing',
        expect: () => {
          const { round } = world;
          if (round?.storyId !== storyId || earlier > 0) return [];
          return [round.cards.size > 0 ? turnOver(world, round) : setAside(world, storyId)];
        },
      };
    }),
    expire: on(
      fc.constantFrom(0, 0, 0, 1),
      (missed, world, { now }) => ({
        command: expireSession,
        input: { sessionId },
        actor: system,
        facts: { at: new Date(world.last.at).toISOString(), changes: world.last.changes - missed },
        twice: 'nothing',
        expect: () => {
          const idle = missed === 0 && now.getTime() - world.last.at >= 8 * 3_600_000;
          if (!world.exists || world.over !== undefined || !idle) return [];
          endRound(world);
          world.over = 'expired';
          return [{ type: 'SessionExpired', data: { createdBy: fay.id, totals: totals(world) } }];
        },
      }),
      0.5,
    ),
    restart: on(fc.record({ by: leading, story: onTable }), ({ by, story }, world, { now }) => {
      const [actor, storyId] = [leadBy(world, by), tableAt(world, story)];
      return {
        command: restartVoting,
        input: { sessionId, storyId },
        actor,
        expect: () => {
          const refused = notLed(world, actor, storyId);
          if (refused !== undefined) return refused;
          const status = world.stories.get(storyId)?.status;
          if (status !== 'voting' && status !== 'revealed') return 'nothing-to-restart';
          if (world.round !== undefined && world.round.storyId !== storyId) return 'round-open';
          return [{ ...open(world, storyId, now), type: 'VotingRestarted' }];
        },
      };
    }),
    accept: on(
      fc.record({ by: leading, story: withResult, value: fc.constantFrom('5', 'c00') }),
      ({ by, story, value }, world) => {
        const [actor, storyId] = [leadBy(world, by), resultAt(world, story)];
        return {
          command: acceptEstimate,
          input: { sessionId, storyId, value },
          actor,
          twice: 'nothing',
          expect: () => {
            const refused = notLed(world, actor, storyId);
            if (refused !== undefined) return refused;
            const story = world.stories.get(storyId) as Story;
            if (story.status !== 'revealed' && story.status !== 'estimated') return 'not-revealed';
            if (story.status === 'estimated' && story.estimate === value) return [];
            Object.assign(story, { status: 'estimated', estimate: value });
            return ['EstimateAccepted'];
          },
        };
      },
      2,
    ),
    skip: on(fc.record({ by: leading, story: onTable }), ({ by, story }, world) => {
      const [actor, storyId] = [leadBy(world, by), tableAt(world, story)];
      return {
        command: skipStory,
        input: { sessionId, storyId },
        actor,
        expect: () => {
          const refused = notLed(world, actor, storyId);
          if (refused !== undefined) return refused;
          return world.stories.get(storyId)?.status === 'skipped' ? [] : [setAside(world, storyId)];
        },
      };
    }),
    complete: on(
      leading,
      (by, world) => {
        const actor = leadBy(world, by);
        return {
          command: completeSession,
          input: { sessionId },
          actor,
          expect: () => {
            const refused = notLeading(world, actor) ?? closed(world);
            if (refused !== undefined) return refused;
            endRound(world);
            world.over = 'completed';
            return [{ type: 'SessionCompleted', data: { by: actor.id, totals: totals(world) } }];
          },
        };
      },
      0.25,
    ),
    archive: on(
      fc.record({ by: leading, bySystem }),
      ({ by, bySystem }, world) => {
        const actor = bySystem ? system : leadBy(world, by);
        return {
          command: archiveSession,
          input: { sessionId },
          actor,
          twice: 'nothing',
          expect: () => {
            if (!world.exists) return 'session-unknown';
            const refused = bySystem ? undefined : notLeading(world, actor);
            if (refused !== undefined) return refused;
            if (world.over === undefined) return 'session-open';
            if (world.over === 'archived') return [];
            world.over = 'archived';
            return ['SessionArchived'];
          },
        };
      },
      0.5,
    ),
  },
  seen: ({ id, closed, facilitatorId, participants, stories, round }) => ({
    exists: id !== null,
    over: closed,
    facilitatorId,
    people: Object.entries(participants)
      .map(([id, { role, membership }]) => `${id} ${membership} ${role}`)
      .sort(),
    stories: stories.map(({ id, title, url, status, estimate, rounds }) => ({
      id,
      title,
      url,
      status,
      estimate,
      rounds,
    })),
    round: round && { storyId: round.storyId, anonymous: round.anonymous, cards: Object.entries(round.votes).sort() },
  }),
  expected: (world) => ({
    exists: world.exists,
    over: world.over ?? null,
    facilitatorId: leader(world) ?? null,
    people: [...world.people].map(([id, { role, where }]) => `${id} ${where} ${role}`).sort(),
    stories: [...world.stories].map(([id, story]) => ({
      id,
      title: story.title,
      url: story.url,
      status: story.status,
      estimate: story.estimate,
      rounds: story.rounds,
    })),
    round: world.round
      ? { storyId: world.round.storyId, anonymous: world.round.anonymous, cards: [...world.round.cards].sort() }
      : null,
  }),
  always: (state, world, history, { now }) => {
    assert.equal(state.changes, history.length, 'every event is counted');
    if (history.length !== world.last.changes) world.last = { at: now.getTime(), changes: history.length };
    const present = Object.entries(state.participants).filter(([, { membership }]) => membership === 'in');
    const leaders = present.filter(([, { role }]) => role === 'facilitator').map(([id]) => id);
    assert.ok(leaders.length <= 1, 'one facilitator at most');
    assert.ok(leaders.length === 1 || present.every(([, { role }]) => role === 'observer'), 'whoever votes is led');
    for (const { id, version } of state.stories) {
      const own = history.filter(({ data }) => 'storyId' in data && data.storyId === id);
      assert.equal(version, own.length - 1, 'the version of a story counts its own events');
    }
    const last = history.at(-1);
    if (last?.type === 'VotesRevealed') {
      const voters = last.data.votes.flatMap(({ participantId }) => participantId ?? []);
      assert.equal(new Set(voters).size, last.data.anonymous ? 0 : last.data.votes.length, 'one card for each voter');
    }
    if (world.round === undefined) return;
    for (const viewer of PEOPLE) {
      const seen = JSON.stringify(sessionStatus(state, viewer.id));
      for (const [id, card] of world.round.cards)
        assert.ok(id === viewer.id || !seen.includes(`"${card}"`), 'nobody sees the card of another before the reveal');
    }
  },
  refusals: [
    'session-unknown',
    'session-exists',
    'code-not-reserved',
    'removed',
    'session-closed',
    'observers-not-allowed',
    'not-in-session',
    'left-session',
    'participant-unknown',
    'not-facilitator',
    'own-removal',
    'facilitator-needed',
    'deck-unusable',
    'round-open',
    'story-unknown',
    'observer',
    'round-not-open',
    'not-in-deck',
    'no-vote',
    'no-votes',
    'stories-differ',
    'nothing-to-restart',
    'not-revealed',
    'session-open',
  ],
});
