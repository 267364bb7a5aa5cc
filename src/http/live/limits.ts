/** What live connections may take, and how long they may be silent. Times in milliseconds. */
export type Limits = {
  /** The first message must log the connection in. */
  readonly authWithin: number;
  /** A ping goes out this often. */
  readonly pingEvery: number;
  /** Logins are looked at again this often, beside the events that end them. */
  readonly checkEvery: number;
  /** What has fallen due is noticed this often. */
  readonly beat: number;
  /** Closed when nothing came for this long, pongs included. */
  readonly silence: number;
  /** The client is warned this long before its token ends. */
  readonly expiryWarning: number;
  readonly connectionsPerAccount: number;
  /** Connections of one address that have not logged in yet. */
  readonly strangersPerAddress: number;
  readonly topicsPerConnection: number;
  /** Bytes of one message from a client. */
  readonly messageBytes: number;
  /** Messages of one client that wait for their answer. */
  readonly waitingMessages: number;
  /** Bytes written but not yet taken by the reader: beyond it the reader is too slow and dropped. */
  readonly unreadBytes: number;
  /** A reader is given what it missed as long as no more than this waits to be taken. */
  readonly pacedBytes: number;
  /** Time that clients have for their good-bye when the service stops. */
  readonly goodbye: number;
  /** Messages that a resumed topic is given; further behind, the client must read afresh. */
  readonly replayedMessages: number;
  /** Events of the log that are looked through for them. */
  readonly replayedEvents: number;
};

export const defaultLimits: Limits = {
  authWithin: 10_000,
  pingEvery: 30_000,
  checkEvery: 300_000,
  beat: 500,
  silence: 90_000,
  expiryWarning: 30_000,
  connectionsPerAccount: 5,
  strangersPerAddress: 100,
  topicsPerConnection: 20,
  messageBytes: 65_536,
  waitingMessages: 64,
  unreadBytes: 2_097_152,
  pacedBytes: 65_536,
  goodbye: 2_000,
  replayedMessages: 500,
  replayedEvents: 10_000,
};

/** Why the service closed a WebSocket. */
export const closeCodes = {
  /** The service stops: connect again, to another node or later. */
  draining: 1001,
  /** More messages than can be answered. */
  flood: 1008,
  /** A message longer than admitted; sent by the protocol itself. */
  tooLong: 1009,
  /** No login in time, a wrong, expired or revoked one. */
  unauthorized: 4401,
  /** Nothing heard for too long, or a reader too slow for what it subscribed to. */
  tooSlow: 4408,
  /** Too many connections of one account or address. */
  tooMany: 4429,
} as const;
