import shared from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import streams, { type AppendReq, type BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import { status as codes, Metadata, type ServerDuplexStream, type ServerReadableStream } from '@grpc/grpc-js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import { type Log, MAX_APPEND_SIZE, type Outcome, type Proposed, type Wanted } from './log.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** How long the server tries to get an append through before it gives up on it. */
const COMMIT_TIMEOUT_MS = 2_000;

const proposed = (message: BatchAppendReq.ProposedMessage | AppendReq.ProposedMessage): Proposed => ({
  id: message.getId()?.getString() ?? '',
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? '',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});

const statusOf = (name: string, code: number, details: { serializeBinary(): Uint8Array }) => {
  const packed = new any.Any();
  packed.pack(details.serializeBinary(), `event_store.client.${name}`);
  return new status.Status().setCode(code).setMessage(name).setDetails(packed);
};

const wrongVersion = ({ wanted, current }: Extract<Outcome, { is: 'conflict' }>) => {
  const details = new shared.WrongExpectedVersion();
  if (current >= 0) details.setCurrentStreamRevision(String(current));
  else details.setCurrentNoStream(new shared.Empty());
  if (wanted === 'noStream') details.setExpectedNoStream(new shared.Empty());
  else if (wanted === 'any') details.setExpectedAny(new shared.Empty());
  else if (wanted === 'streamExists') details.setExpectedStreamExists(new shared.Empty());
  else details.setExpectedStreamPosition(String(wanted));
  return details;
};

/** The server tells of its own time limit with the id in two numbers, whatever form it came in. */
const structured = (uuid: string) => {
  const digits = uuid.replaceAll('-', '');
  const bits = (from: number) => BigInt.asIntN(64, BigInt(`0x${digits.slice(from, from + 16)}`)).toString();
  const pair = new shared.UUID.Structured().setMostSignificantBits(bits(0)).setLeastSignificantBits(bits(16));
  return new shared.UUID().setStructured(pair);
};

const wantedOf = (options: BatchAppendReq.Options): Wanted => {
  if (options.hasNoStream()) return 'noStream';
  if (options.hasAny()) return 'any';
  return options.hasStreamExists() ? 'streamExists' : Number(options.getStreamPosition());
};

export type Pace = {
  /** Settles once the disk has taken an append that the log holds already. */
  readonly committed: () => Promise<void>;
  /** True just after the start, for so many calls. */
  readonly notReady: () => boolean;
  /** Whether a call does not carry the credentials that the server asks for. */
  readonly refuses: (metadata: Metadata) => boolean;
  /** Told when a subscription is given up because its reader is too slow. */
  readonly dropping: () => void;
  /** Told of every open call and how to end it with an error. */
  readonly opened: (fail: (code: number, details: string) => void) => () => void;
};

const failure = (code: number, details: string) =>
  Object.assign(new Error(details), { code, details, metadata: new Metadata() });

type Batch = ServerDuplexStream<BatchAppendReq, InstanceType<typeof streams.BatchAppendResp>>;

/** The batch-append call: many appends side by side, answered in whatever order they finish. */
export const batchAppend =
  (log: Log, pace: Pace) =>
  (call: Batch): void => {
    const parts = new Map<string, { readonly options: BatchAppendReq.Options; readonly events: Proposed[] }>();
    const pending = new Map<string, Promise<void>>();
    const ended = pace.opened((code, details) => call.emit('error', failure(code, details)));
    call.on('close', ended);
    if (pace.refuses(call.metadata)) {
      call.emit('error', failure(codes.UNAUTHENTICATED, 'Unauthenticated'));
      return;
    }
    if (pace.notReady()) {
      call.emit('error', failure(codes.UNKNOWN, 'Server Is Not Ready'));
      return;
    }
    const say = (stream: string, id: InstanceType<typeof shared.UUID> | undefined) => {
      const answer = new streams.BatchAppendResp();
      answer.setCorrelationId(id);
      return answer.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(encoder.encode(stream)));
    };

    const timeOut = (stream: string, correlationId: string): void => {
      const timer = setTimeout(() => {
        const late = statusOf('Timeout', codes.DEADLINE_EXCEEDED, new shared.Timeout());
        call.write(say(stream, structured(correlationId)).setError(late));
      }, COMMIT_TIMEOUT_MS);
      call.on('close', () => clearTimeout(timer));
    };

    const finish = async (correlationId: string, stream: string, wanted: Wanted, events: readonly Proposed[]) => {
      const answer = say(stream, new shared.UUID().setString(correlationId));
      const outcome = log.append(stream, wanted, events);
      const key = `${stream} ${events[0]?.id}`;
      switch (outcome.is) {
        case 'invalid': {
          const details = new shared.BadRequest().setMessage(outcome.why);
          call.write(answer.setError(statusOf('BadRequest', codes.INVALID_ARGUMENT, details)));
          // The append is given up a second time, under an id that the client no longer waits for.
          if (stream !== '') timeOut(stream, correlationId);
          return;
        }
        case 'tooLarge': {
          const details = new shared.MaximumAppendSizeExceeded().setMaxappendsize(MAX_APPEND_SIZE);
          call.write(answer.setError(statusOf('MaximumAppendSizeExceeded', codes.INVALID_ARGUMENT, details)));
          return;
        }
        case 'deleted': {
          const identifier = new shared.StreamIdentifier().setStreamName(encoder.encode(stream));
          const details = new shared.StreamDeleted().setStreamIdentifier(identifier);
          call.write(answer.setError(statusOf('StreamDeleted', codes.FAILED_PRECONDITION, details)));
          return;
        }
        case 'conflict':
          call.write(answer.setError(statusOf('WrongExpectedVersion', codes.ALREADY_EXISTS, wrongVersion(outcome))));
          return;
        case 'repeated':
          if (pending.has(key)) return timeOut(stream, correlationId);
          break;
        case 'stored': {
          const committed = pace.committed();
          pending.set(key, committed);
          await committed;
          pending.delete(key);
        }
      }
      const position = new shared.AllStreamPosition()
        .setCommitPosition(String(outcome.position))
        .setPreparePosition(String(outcome.position));
      const success = new streams.BatchAppendResp.Success().setPosition(position);
      if (outcome.revision >= 0) success.setCurrentRevision(String(outcome.revision));
      else success.setNoStream(new shared.Empty());
      call.write(answer.setSuccess(success));
    };

    call.on('data', (request: BatchAppendReq) => {
      const correlationId = request.getCorrelationId()?.getString() ?? '';
      const options = request.getOptions();
      const part = parts.get(correlationId) ?? (options && { options, events: [] });
      if (part === undefined) return;
      parts.set(correlationId, part);
      part.events.push(...request.getProposedMessagesList().map(proposed));
      if (!request.getIsFinal()) return;
      parts.delete(correlationId);
      const stream = decoder.decode(part.options.getStreamIdentifier()?.getStreamName_asU8());
      void finish(correlationId, stream, wantedOf(part.options), part.events);
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  };

/** The append call of one append, which the client uses when the call carries credentials of its own. */
export const append =
  (log: Log, pace: Pace) =>
  (
    call: ServerReadableStream<AppendReq, InstanceType<typeof streams.AppendResp>>,
    callback: (error: Error | null, answer?: InstanceType<typeof streams.AppendResp>) => void,
  ): void => {
    let options: AppendReq.Options | undefined;
    const events: Proposed[] = [];
    call.on('data', (request: AppendReq) => {
      options ??= request.getOptions();
      const message = request.getProposedMessage();
      if (message !== undefined) events.push(proposed(message));
    });
    call.on('error', () => {});
    call.on('end', async () => {
      if (options === undefined) return;
      if (pace.notReady()) return callback(failure(codes.UNKNOWN, 'Server Is Not Ready'));
      const stream = decoder.decode(options.getStreamIdentifier()?.getStreamName_asU8());
      const wanted: Wanted = options.hasNoStream()
        ? 'noStream'
        : options.hasAny()
          ? 'any'
          : options.hasStreamExists()
            ? 'streamExists'
            : Number(options.getRevision());
      const outcome = log.append(stream, wanted, events);
      const answer = new streams.AppendResp();
      if (outcome.is === 'stored' || outcome.is === 'repeated') {
        await pace.committed();
        const position = new streams.AppendResp.Position()
          .setCommitPosition(String(outcome.position))
          .setPreparePosition(String(outcome.position));
        const success = new streams.AppendResp.Success().setPosition(position);
        return callback(null, answer.setSuccess(success.setCurrentRevision(String(outcome.revision))));
      }
      if (outcome.is === 'conflict') {
        const wrong = new streams.AppendResp.WrongExpectedVersion();
        if (outcome.current >= 0) wrong.setCurrentRevision(String(outcome.current));
        else wrong.setCurrentNoStream(new shared.Empty());
        if (wanted === 'noStream') wrong.setExpectedNoStream(new shared.Empty());
        else if (typeof wanted === 'number') wrong.setExpectedRevision(String(wanted));
        return callback(null, answer.setWrongExpectedVersion(wrong));
      }
      callback(failure(codes.UNKNOWN, `Exception was thrown by handler. ${outcome.is}`));
    });
  };
