import type { Actor } from '../../domain/decider.ts';
import { categoryOf, idOf, type Recorded } from '../../eventstore/event.ts';
import type { Checks } from './checks.ts';
import type { Refusal } from './subscription.ts';

/** A topic that a seat listens to. */
export type Held = {
  readonly authorise: (actor: Actor) => Promise<Refusal | undefined>;
  readonly lose: (refusal: Refusal) => void;
};

/** One logged-in connection. */
export type Seat = {
  /** With its rights as of now. */
  readonly actor: () => Actor;
  /** Another login of the same account. */
  readonly renew: (actor: Actor) => void;
  /** Looks whether login and topics still hold. */
  readonly recheck: () => void;
  readonly hold: (topic: Held) => () => void;
  readonly leave: () => void;
};

type Member = {
  actor: Actor;
  readonly ended: () => void;
  readonly topics: Set<Held>;
  readonly check: () => Promise<void>;
};

export type Seats = {
  /** `ended` is called when the login is worth nothing any more. */
  readonly take: (actor: Actor, ended: () => void) => Seat;
  /** To be called with every event: ends what it ends, and looks again where it may have changed a right. */
  readonly observe: (event: Recorded) => void;
};

/** Everybody who is connected here, and what an event means to them. */
export const createSeats = (of: {
  readonly checks: Checks;
  /** The actor with the rights that it has now; undefined when its login or account is gone. */
  readonly standing: (actor: Actor) => Promise<Actor | undefined>;
}): Seats => {
  const { checks, standing } = of;
  const byAccount = new Map<string, Set<Member>>();
  const all = (): readonly Member[] => [...byAccount.values()].flatMap((members) => [...members]);

  const check = async (member: Member): Promise<void> => {
    const asked = member.actor;
    const actor = await standing(asked);
    // Meanwhile the connection logged in anew: that login was looked at when it came.
    if (member.actor !== asked) return;
    if (actor === undefined) return member.ended();
    member.actor = actor;
    for (const topic of [...member.topics]) {
      const refusal = await topic.authorise(actor);
      if (refusal !== undefined) topic.lose(refusal);
    }
  };

  return {
    take: (first, ended) => {
      const member: Member = { actor: first, ended, topics: new Set(), check: () => check(member) };
      const { id } = first;
      byAccount.set(id, (byAccount.get(id) ?? new Set()).add(member));
      // What ended it between its login and now was told to nobody.
      checks.add(member);
      return {
        actor: () => member.actor,
        renew: (actor) => {
          member.actor = actor;
          checks.add(member);
        },
        recheck: () => checks.add(member),
        hold: (topic) => {
          member.topics.add(topic);
          return () => member.topics.delete(topic);
        },
        leave: () => {
          const members = byAccount.get(id);
          members?.delete(member);
          if (members?.size === 0) byAccount.delete(id);
          checks.remove(member);
        },
      };
    },
    observe: (event) => {
      if (byAccount.size === 0) return;
      const category = categoryOf(event.stream);
      if (event.type === 'LoginSessionRevoked') {
        const { accountId, sessionId } = event.data;
        for (const member of [...(byAccount.get(accountId) ?? [])])
          if (member.actor.sessionId === sessionId) member.ended();
      } else if (event.type === 'AllTokensRevoked') for (const member of all()) member.ended();
      else if (category === 'account' || category === 'userAccess')
        for (const member of byAccount.get(idOf(event.stream)) ?? []) checks.add(member);
      else if (category === 'roleCatalog') for (const member of all()) checks.add(member);
    },
  };
};
