import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams, { type ReadReq, type ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { status as codes, Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import type { Pace } from './appends.ts';
import type { Log, Record } from './log.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

type Call = ServerWritableStream<ReadReq, ReadResp>;

const failure = (code: number, details: string, metadata: { readonly [key: string]: string } = {}) => {
  const extra = new Metadata();
  for (const [key, value] of Object.entries(metadata)) extra.set(key, value);
  return Object.assign(new Error(details), { code, details, metadata: extra });
};

const answerOf = (record: Record): ReadResp => {
  const event = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(record.id))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(encoder.encode(record.stream)))
    .setStreamRevision(String(record.revision))
    .setCommitPosition(String(record.position))
    .setPreparePosition(String(record.position))
    .setCustomMetadata(record.metadata)
    .setData(record.data);
  event
    .getMetadataMap()
    .set('type', record.type)
    .set('content-type', record.contentType)
    .set('created', record.created);
  const read = new streams.ReadResp.ReadEvent().setEvent(event).setCommitPosition(String(record.position));
  return new streams.ReadResp().setEvent(read);
};

const readStream = (log: Log, call: Call, options: ReadReq.Options): void => {
  const wanted = options.getStream();
  const identifier = wanted?.getStreamIdentifier();
  const stream = decoder.decode(identifier?.getStreamName_asU8());
  const count = Number(options.getCount());
  if (count === 0) return void call.emit('error', failure(codes.UNKNOWN, 'Unexpected ReadStreamResult: Error'));
  let visible: readonly Record[] | undefined;
  try {
    visible = log.visible(stream);
  } catch {
    const metadata = { exception: 'stream-deleted', 'stream-name': stream };
    return void call.emit(
      'error',
      failure(codes.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, metadata),
    );
  }
  if (visible === undefined) {
    const notFound = new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifier);
    call.write(new streams.ReadResp().setStreamNotFound(notFound));
  } else {
    const backwards = options.getReadDirection() === 1;
    const from = wanted?.hasRevision() ? Number(wanted.getRevision()) : wanted?.hasEnd() ? Number.POSITIVE_INFINITY : 0;
    const chosen = backwards
      ? visible.filter(({ revision }) => revision <= from).toReversed()
      : visible.filter(({ revision }) => revision >= from);
    for (const record of chosen.slice(0, count)) call.write(answerOf(record));
  }
  call.end();
};

/** Where reading begins, exclusive of nothing; undefined when no record begins there. */
const startOf = (log: Log, all: ReadReq.Options.AllOptions | undefined): bigint | undefined => {
  if (all?.hasStart() || all === undefined) return 0n;
  if (all.hasEnd()) return log.end();
  const commit = BigInt(all.getPosition()?.getCommitPosition() ?? 0);
  const known = commit === 0n || commit >= log.end() || log.records.some(({ position }) => position === commit);
  return known ? commit : undefined;
};

const readAll = (log: Log, call: Call, options: ReadReq.Options): void => {
  const count = Number(options.getCount());
  // Asked for nothing, the server never answers.
  if (count === 0) return;
  const start = startOf(log, options.getAll());
  if (start === undefined) return void call.emit('error', failure(codes.UNKNOWN, 'Unexpected ReadAllResult: Error'));
  const chosen =
    options.getReadDirection() === 1
      ? log.records.filter(({ position }) => position < start).toReversed()
      : log.records.filter(({ position }) => position >= start);
  for (const record of chosen.slice(0, count)) call.write(answerOf(record));
  call.end();
};

const judge = (filter: ReadReq.Options.FilterOptions | undefined): ((record: Record) => boolean) => {
  const expression = filter?.getEventType() ?? filter?.getStreamIdentifier();
  if (filter === undefined || expression === undefined) return () => true;
  const prefixes = expression.getPrefixList();
  const pattern = new RegExp(expression.getRegex());
  return ({ type, stream }) => {
    const name = filter.hasEventType() ? type : stream;
    return prefixes.length > 0 ? prefixes.some((prefix) => name.startsWith(prefix)) : pattern.test(name);
  };
};

const checkpoint = (commit: bigint, prepare: bigint): ReadResp =>
  new streams.ReadResp().setCheckpoint(
    new streams.ReadResp.Checkpoint().setCommitPosition(String(commit)).setPreparePosition(String(prepare)),
  );

/** Answers that wait for a reader before a live subscription is given up. */
const LIVE_BUFFER = 200;

const subscribe = async (log: Log, pace: Pace, call: Call, options: ReadReq.Options): Promise<void> => {
  const all = options.getAll();
  const start = startOf(log, all);
  if (start === undefined) return void call.emit('error', failure(codes.UNKNOWN, 'Exception was thrown by handler.'));
  const filter = options.getFilter();
  const passes = judge(filter);
  const window = (filter?.getMax() || 32) * (filter?.getCheckpointintervalmultiplier() || 1);
  let drained = true;
  let waiting = 0;
  const say = (answer: ReadResp): void => {
    drained = call.write(answer);
    waiting = drained ? 0 : waiting + 1;
  };
  const room = async (): Promise<void> => {
    if (!drained) await new Promise((resolve) => call.once('drain', resolve));
    drained = true;
    waiting = 0;
  };
  const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(crypto.randomUUID());
  say(new streams.ReadResp().setConfirmation(confirmation));

  // A position to start from is behind the reader already; the very start is not.
  let next = all?.hasStart() ? 0 : log.records.findIndex(({ position }) => position > start);
  if (next < 0) next = log.records.length;
  let looked = 0;
  let matched = 0;
  let pageStart = all?.hasStart() ? 0n : (log.records[next]?.position ?? start);
  const look = (record: Record, live: boolean): void => {
    if (passes(record)) {
      matched += 1;
      say(answerOf(record));
    }
    looked += 1;
    if (filter === undefined || looked < window) return;
    if (live || matched > 0) say(checkpoint(record.position, record.position));
    else say(checkpoint(pageStart, 0n));
    looked = 0;
    matched = 0;
    pageStart = log.records[next]?.position ?? record.position;
  };
  while (next < log.records.length) {
    const record = log.records[next];
    next += 1;
    if (record === undefined) break;
    look(record, false);
    await room();
    if (call.cancelled) return;
  }
  say(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));

  const stop = log.onWrite(() => {
    for (; next < log.records.length; next += 1) {
      const record = log.records[next];
      if (record !== undefined) look(record, true);
    }
    if (waiting <= LIVE_BUFFER) return;
    stop();
    pace.dropping();
    call.emit('error', failure(codes.ABORTED, 'Operation timed out: Consumer too slow to handle event while live.'));
  });
  call.on('drain', () => {
    drained = true;
    waiting = 0;
  });
  call.on('cancelled', stop);
  call.on('close', stop);
};

/** The one call for reads of a stream, of the whole log, and for subscriptions. */
export const read =
  (log: Log, pace: Pace) =>
  (call: Call): void => {
    const ended = pace.opened((code, details) => call.emit('error', failure(code, details)));
    call.on('close', ended);
    call.on('cancelled', ended);
    const options = call.request.getOptions();
    if (options === undefined) return;
    if (pace.refuses(call.metadata)) return void call.emit('error', failure(codes.UNAUTHENTICATED, 'Unauthenticated'));
    if (pace.notReady()) return void call.emit('error', failure(codes.UNKNOWN, 'Server Is Not Ready'));
    if (options.hasSubscription()) void subscribe(log, pace, call, options);
    else if (options.hasStream()) readStream(log, call, options);
    else readAll(log, call, options);
  };
