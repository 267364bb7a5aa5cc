/** What the driver asked the service to do. */
export type Kind =
  | 'book'
  | 'move'
  | 'cancel'
  | 'createSession'
  | 'join'
  | 'addStory'
  | 'open'
  | 'vote'
  | 'reveal'
  | 'restart'
  | 'assign'
  | 'revoke';

type Meaning = {
  readonly command: string;
  readonly events: readonly string[];
  /** Succeeds without an event when what it asks for is so already. */
  readonly mayChangeNothing?: true;
};

/** The command behind each kind, and the events of which one such command stores exactly one. */
export const MEANING: Readonly<Record<Kind, Meaning>> = {
  book: { command: 'BookAppointment', events: ['AppointmentBooked'] },
  move: { command: 'RescheduleAppointment', events: ['AppointmentRescheduled'], mayChangeNothing: true },
  cancel: { command: 'CancelAppointment', events: ['AppointmentCancelled'] },
  createSession: { command: 'CreateSession', events: ['SessionCreated'] },
  join: { command: 'JoinSession', events: ['ParticipantJoined'], mayChangeNothing: true },
  addStory: { command: 'AddStory', events: ['StoryAdded'] },
  open: { command: 'OpenVoting', events: ['VotingOpened'] },
  vote: { command: 'CastVote', events: ['VoteCast', 'VoteChanged'], mayChangeNothing: true },
  reveal: { command: 'RevealVotes', events: ['VotesRevealed'] },
  restart: { command: 'RestartVoting', events: ['VotingRestarted'] },
  assign: { command: 'AssignRole', events: ['RoleAssigned'] },
  revoke: { command: 'RevokeRole', events: ['RoleRevoked'] },
};

/**
 * How a request ended for the one who sent it. `unknown`: no answer, or one that leaves it open (503, 500); `notSent`: no
 * connection came about.
 */
export type End = 'acknowledged' | 'refused' | 'unknown' | 'notSent';

/** One request of a command. Its correlation id leads from the log back to it. */
export type Attempt = {
  readonly correlationId: string;
  readonly end: End;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly replayed: boolean;
  /** Consistency-Token of an acknowledgement. */
  readonly token: bigint | undefined;
  /** The version that the ETag names. */
  readonly version: number | undefined;
  readonly data: Readonly<Record<string, unknown>>;
};

/** A command with everything that was heard about it. */
export type Entry = {
  /** `<round>/<client>/<number>`: the same in every run of a seed. */
  readonly id: string;
  readonly round: number;
  readonly kind: Kind;
  /** Account. */
  readonly actor: string;
  /** Idempotency-Key. */
  readonly key: string | undefined;
  /** What was asked for: slot, card, account, role, as far as the checks compare it. */
  readonly asked: Readonly<Record<string, string>>;
  readonly attempts: Attempt[];
};

/** The first acknowledgement, if any came. */
export const acknowledgementOf = ({ attempts }: Entry): Attempt | undefined =>
  attempts.find(({ end }) => end === 'acknowledged');

/** Everything that was sent, in the order in which it was begun, and which events the driver put into the log itself. */
export type Ledger = {
  readonly entries: Entry[];
  /** Ids of events that were put into the log past the service. */
  readonly planted: Set<string>;
};

export const createLedger = (): Ledger => ({ entries: [], planted: new Set() });
