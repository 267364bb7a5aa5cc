import { acknowledgementOf, type Entry, type Kind, MEANING } from '../ledger.ts';
import { type Random, seeded } from '../random.ts';
import { Stuck } from '../world/until.ts';
import { type Cast, ROLES } from './cast.ts';
import type { Person } from './person.ts';
import { askAgain, lookAt, perform, type Stage, type Wish } from './play.ts';

export type Load = {
  readonly cast: Cast;
  readonly seed: number;
  /** Commands of each client. */
  readonly commands: number;
};

type Story = { readonly sessionId: string; readonly storyId: string };
type Held = { readonly id: string; readonly slotId: string };

/** The slots that everybody wants in one round: few enough to collide. */
const WANTED_SLOTS = 24;
const CARDS = ['1', '2', '3', '5', '8', '13'] as const;
const KEYED = 0.7;
const LOOKS = 0.25;
const ASKED_AGAIN = 12;

/** Sends the wishes of one client, one after the other, and remembers what it holds. */
type Player = {
  readonly person: Person;
  readonly index: number;
  readonly random: Random;
  readonly held: Map<string, Held>;
  sent: number;
};

/** Appointments that clients know to be theirs, from earlier rounds too. */
export type Memory = Map<string, Map<string, Held>>;

const wish = (
  stage: Stage,
  player: Player,
  kind: Kind,
  of: Pick<Wish, 'asked' | 'request'> & { readonly keyed?: boolean },
): Wish => {
  player.sent += 1;
  const id = `${stage.round}/${player.index}/${player.sent}`;
  const keyed = of.keyed ?? player.random.chance(KEYED);
  return { id, kind, person: player.person, key: keyed ? `k-${id}` : undefined, ...of };
};

const book = (stage: Stage, player: Player, slotId: string): Wish =>
  wish(stage, player, 'book', {
    asked: { slotId },
    request: { method: 'POST', path: '/appointments', body: { slotId, notes: `Round ${stage.round}` } },
  });

const move = (stage: Stage, player: Player, { id }: Held, slotId: string): Wish =>
  wish(stage, player, 'move', {
    asked: { appointmentId: id, toSlotId: slotId },
    request: { method: 'PUT', path: `/appointments/${id}`, body: { slotId } },
  });

const cancel = (stage: Stage, player: Player, { id }: Held): Wish =>
  wish(stage, player, 'cancel', {
    asked: { appointmentId: id },
    request: { method: 'DELETE', path: `/appointments/${id}` },
  });

const vote = (stage: Stage, player: Player, story: Story): Wish => {
  const value = player.random.pick(CARDS);
  return wish(stage, player, 'vote', {
    asked: { ...story, value },
    request: { method: 'PUT', path: `/sessions/${story.sessionId}/stories/${story.storyId}/vote`, body: { value } },
  });
};

const lead = (stage: Stage, player: Player, story: Story, kind: 'reveal' | 'restart'): Wish =>
  wish(stage, player, kind, {
    asked: { ...story },
    request: { method: 'POST', path: `/sessions/${story.sessionId}/stories/${story.storyId}/${kind}` },
  });

const changeRole = (stage: Stage, player: Player, { circle, clients }: Cast): Wish => {
  const { random, person } = player;
  const roleName = random.chance(0.5) ? 'admin' : random.pick(['auditor', 'operator', 'agent']);
  const others = (roleName === 'admin' ? circle : clients).filter(({ id }) => id !== person.id);
  const accountId = random.pick(others).id;
  const roleId = ROLES[roleName] ?? '';
  return random.chance(0.5)
    ? wish(stage, player, 'assign', {
        asked: { accountId, roleName },
        request: { method: 'POST', path: `/rbac/users/${accountId}/roles`, body: { roleName } },
      })
    : wish(stage, player, 'revoke', {
        asked: { accountId, roleId },
        request: { method: 'DELETE', path: `/rbac/users/${accountId}/roles/${roleId}` },
      });
};

/** What a client knows of its appointments after an answer. */
const remember = ({ held }: Player, entry: Entry): void => {
  const told = acknowledgementOf(entry)?.data;
  if (told === undefined || !['book', 'move', 'cancel'].includes(entry.kind)) return;
  const id = String(told.id);
  if (told.status === 'SCHEDULED') held.set(id, { id, slotId: String(told.slotId) });
  else held.delete(id);
};

const nextWish = (stage: Stage, player: Player, slots: readonly string[], story: Story, load: Load): Wish => {
  const { random, held, person } = player;
  const mine = [...held.values()];
  const what = random.next();
  if (what < 0.15 && load.cast.circle.includes(person)) return changeRole(stage, player, load.cast);
  if (what < 0.4) return vote(stage, player, story);
  if (mine.length > 0 && what < 0.6) return move(stage, player, random.pick(mine), random.pick(slots));
  if (mine.length > 0 && (what < 0.75 || mine.length > 3)) return cancel(stage, player, random.pick(mine));
  return book(stage, player, random.pick(slots));
};

/** The wishes of a facilitator: a reveal now and then, and the next round after it. */
const leading = (stage: Stage, player: Player, story: Story, revealed: boolean): Wish =>
  player.random.chance(0.4) ? lead(stage, player, story, revealed ? 'restart' : 'reveal') : vote(stage, player, story);

/** A session with everybody in it and a first round open, made while nothing is wrong. Throws Stuck when it is refused. */
const gather = async (stage: Stage, players: readonly Player[]): Promise<Story> => {
  const facilitator = players[stage.round % players.length] as Player;
  const made = async (player: Player, kind: Kind, path: string, body: object, asked: Wish['asked'] = {}) => {
    const request = { method: 'POST', path, body } as const;
    const entry = await perform(stage, wish(stage, player, kind, { keyed: true, asked, request }), player.index);
    const told = acknowledgementOf(entry);
    if (told === undefined) throw new Stuck(`${kind} was answered ${JSON.stringify(entry.attempts)}`);
    return String(told.data.id);
  };
  const sessionId = await made(facilitator, 'createSession', '/sessions', { name: `Round ${stage.round}` });
  const path = `/sessions/${sessionId}`;
  const storyId = await made(facilitator, 'addStory', `${path}/stories`, { title: 'Story' }, { sessionId });
  const others = players.filter((player) => player !== facilitator);
  await Promise.all(others.map((player) => made(player, 'join', `${path}/join`, {}, { sessionId })));
  await made(facilitator, 'open', `${path}/stories/${storyId}/open`, {}, { sessionId, storyId });
  return { sessionId, storyId };
};

/** A load that is under way. */
export type Running = {
  /** Settles once every command has had its word. */
  readonly done: Promise<void>;
  /** Asks again about some of the acknowledged commands with a key, after everything is well again. */
  readonly askAgain: () => Promise<void>;
};

/** Lets every client send its commands, each waiting for the last one's word. The choices follow from seed, round and client. */
export const startLoad = async (stage: Stage, load: Load, memory: Memory): Promise<Running> => {
  const { cast, seed, commands } = load;
  const { round } = stage;
  const chosen = seeded(seed, round, 'slots').shuffled(cast.slots.map(({ slotId }) => slotId));
  const slots = chosen.slice(0, WANTED_SLOTS);
  const people = [...new Set([...cast.clients, ...cast.circle])];
  const players = people.map((person, index): Player => {
    const held = memory.get(person.id) ?? new Map();
    memory.set(person.id, held);
    return { person, index, random: seeded(seed, round, 'client', index), held, sent: 0 };
  });
  const story = await gather(stage, players);
  const facilitator = players[round % players.length];
  const finished: { readonly wish: Wish; readonly entry: Entry }[] = [];

  const play = async (player: Player): Promise<void> => {
    let revealed = false;
    for (let count = 0; count < commands; count += 1) {
      const next =
        player === facilitator ? leading(stage, player, story, revealed) : nextWish(stage, player, slots, story, load);
      const entry = await perform(stage, next, player.index);
      const told = acknowledgementOf(entry);
      if (told !== undefined && (entry.kind === 'reveal' || entry.kind === 'restart'))
        revealed = entry.kind === 'reveal';
      remember(player, entry);
      finished.push({ wish: next, entry });
      const looks = player.random.chance(LOOKS);
      if (looks && told !== undefined && ['book', 'move'].includes(entry.kind))
        await lookAt(stage, player.person, told);
    }
    stage.left();
  };
  return {
    done: Promise.all(players.map(play)).then(() => {}),
    askAgain: async () => {
      // What changed nothing left no trace, and its repeat is a command of its own.
      const keyed = finished.filter(
        ({ entry }) =>
          entry.key !== undefined && acknowledgementOf(entry) !== undefined && !MEANING[entry.kind].mayChangeNothing,
      );
      const some = seeded(seed, round, 'again').shuffled(keyed).slice(0, ASKED_AGAIN);
      await Promise.all(some.map(({ wish: again, entry }) => askAgain(stage, again, entry)));
    },
  };
};
