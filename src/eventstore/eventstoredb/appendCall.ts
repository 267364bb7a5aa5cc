import { randomUUID } from 'node:crypto';
import type { BaseOptions } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams, { type BatchAppendReq, type BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { connectivityState, status } from '@grpc/grpc-js';
import type { Expected, NewEvent } from '../port.ts';
import type { Connection } from './connection.ts';
import { deadlineIn, Late, within } from './patience.ts';
import { dataBytes, metadataBytes } from './records.ts';

type Call = ReturnType<StreamsClient['batchAppend']>;

/** How the client opens a call on the right node, with its credentials; protected in its types. */
type Opening = {
  readonly GRPCStreamCreator: (
    service: typeof StreamsClient,
    name: string,
    open: (client: StreamsClient) => Promise<Call>,
  ) => () => Promise<Call>;
  readonly callArguments: (
    options: BaseOptions,
    call: { readonly deadline: number },
  ) => Parameters<StreamsClient['batchAppend']>;
};

/** What the server said to an append. */
export type Said =
  | { readonly is: 'stored'; readonly revision: number; readonly position: bigint }
  | { readonly is: 'conflict'; readonly actual: Expected }
  | { readonly is: 'tooLarge' | 'deleted' | 'denied' | 'invalid' };

/** The call broke, or the server could not say, while the append was under way: it may be stored or not. */
export class Lost extends Error {
  override readonly name = 'Lost';
}

/** No connection came about: nothing was sent. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** Events travel in messages of up to about this many bytes, as in the client; the server refuses 16 MB. */
const MESSAGE_BYTES = 3 * 1_048_576;

const proposed = (event: NewEvent, data: Uint8Array, metadata: Uint8Array): BatchAppendReq.ProposedMessage => {
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(new shared.UUID().setString(event.id));
  message.getMetadataMap().set('type', event.type).set('content-type', 'application/octet-stream');
  return message.setData(data).setCustomMetadata(metadata);
};

const optionsOf = (stream: string, expected: Expected): BatchAppendReq.Options => {
  const options = new streams.BatchAppendReq.Options();
  options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(new TextEncoder().encode(stream)));
  return expected === 'noStream'
    ? options.setNoStream(new shared.Empty())
    : options.setStreamPosition(expected.toString());
};

function* requestsOf(correlationId: string, stream: string, expected: Expected, events: readonly NewEvent[]) {
  const request = () =>
    new streams.BatchAppendReq().setCorrelationId(new shared.UUID().setString(correlationId)).setIsFinal(false);
  let current = request().setOptions(optionsOf(stream, expected));
  let bytes = 0;
  for (const event of events) {
    const data = dataBytes(event.data);
    const metadata = metadataBytes(event.metadata);
    const more = data.length + metadata.length + event.type.length * 3 + 100;
    if (bytes > 0 && bytes + more > MESSAGE_BYTES) {
      yield current;
      current = request();
      bytes = 0;
    }
    current.addProposedMessages(proposed(event, data, metadata));
    bytes += more;
  }
  yield current.setIsFinal(true);
}

const refusal = (reason: Status): Said => {
  const details = reason.getDetails();
  switch (details?.getTypeName()) {
    case 'event_store.client.WrongExpectedVersion': {
      const wrong = shared.WrongExpectedVersion.deserializeBinary(details.getValue_asU8());
      const actual = wrong.hasCurrentStreamRevision() ? Number(wrong.getCurrentStreamRevision()) : 'noStream';
      return { is: 'conflict', actual };
    }
    case 'event_store.client.MaximumAppendSizeExceeded':
      return { is: 'tooLarge' };
    case 'event_store.client.StreamDeleted':
      return { is: 'deleted' };
    case 'event_store.client.AccessDenied':
      return { is: 'denied' };
    case 'event_store.client.BadRequest':
      return { is: 'invalid' };
    default:
      throw new Lost(`EventStoreDB could not say what came of an append: ${reason.getMessage()}`);
  }
};

const said = (answer: BatchAppendResp): Said => {
  const reason = answer.getError();
  if (reason !== undefined) return refusal(reason);
  const success = answer.getSuccess();
  const position = success?.getPosition();
  if (success === undefined || position === undefined) throw new Lost('EventStoreDB gave no position for an append');
  return {
    is: 'stored',
    revision: Number(success.getCurrentRevision()),
    position: BigInt(position.getCommitPosition()),
  };
};

type Waiting = { readonly resolve: (said: Said) => void; readonly reject: (error: unknown) => void };
type Lane = { readonly call: Call; readonly waiting: Map<string, Waiting> };

const hex = (bits: string): string => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');

/** The server repeats the id of an append as it came, but in two numbers when it tells of its own time limit. */
const correlationOf = (answer: BatchAppendResp): string => {
  const id = answer.getCorrelationId();
  const bits = id?.getStructured();
  if (bits === undefined) return id?.getString() ?? '';
  const digits = hex(bits.getMostSignificantBits()) + hex(bits.getLeastSignificantBits());
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
};

const isDenial = (error: Error | undefined): boolean =>
  error !== undefined &&
  'code' in error &&
  (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED);

const CONNECT_MS = 5_000;

/** Settles once the connection stands; throws as soon as the server refuses it, instead of waiting as long as gRPC would. */
const standing = (service: StreamsClient): Promise<void> =>
  new Promise((resolve, reject) => {
    const channel = service.getChannel();
    const until = Date.now() + CONNECT_MS;
    const look = (late?: Error): void => {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) resolve();
      else if (
        late !== undefined ||
        state === connectivityState.TRANSIENT_FAILURE ||
        state === connectivityState.SHUTDOWN
      )
        reject(new Late('No connection came about', { cause: late }));
      else channel.watchConnectivityState(state, until, look);
    };
    look();
  });

/** How gRPC says that a call never reached a connection. */
const NEVER_SENT =
  /^(?:\d+ [A-Z]+: )?(?:No connection established|Name resolution failed|Channel closed before call started)/;

/**
 * The one call over which all appends of a store travel, opened when needed and again after it broke. The client's own
 * `appendToStream` uses the same call, but keeps the waiting appends of all clients of a process in one table, drops
 * them all when any call breaks, and throws outside of every promise when an answer comes late or an error has no
 * details, which ends the process (docs/adr/0003-eventstoredb-adapter.md).
 */
export const appendCall = (connection: Connection) => {
  let lane: Promise<Lane> | undefined;

  const open = (): Promise<Lane> => {
    const client = connection.client();
    const { GRPCStreamCreator, callArguments } = client as unknown as Opening;
    const opening = (async (): Promise<Lane> => {
      // A call made on a connection that stands can say for certain that an append was not sent: it was not made.
      const call = await GRPCStreamCreator(StreamsClient, 'batchAppend', async (service) => {
        await standing(service);
        return service.batchAppend(...callArguments({}, { deadline: Number.POSITIVE_INFINITY }));
      })();
      const waiting: Lane['waiting'] = new Map();
      let answered = false;
      const broke = (cause?: Error): void => {
        if (lane === opening) lane = undefined;
        connection.met(cause, client);
        // Credentials are judged when the call opens, before any append.
        if (!answered && isDenial(cause)) for (const { resolve } of waiting.values()) resolve({ is: 'denied' });
        const message = cause?.message ?? 'EventStoreDB ended the call';
        const error = NEVER_SENT.test(message) ? new NotSent(message, { cause }) : new Lost(message, { cause });
        for (const { reject } of waiting.values()) reject(error);
        waiting.clear();
      };
      call.on('data', (answer: BatchAppendResp) => {
        answered = true;
        const correlationId = correlationOf(answer);
        const append = waiting.get(correlationId);
        waiting.delete(correlationId);
        try {
          append?.resolve(said(answer));
        } catch (error) {
          append?.reject(error);
        }
      });
      call.on('error', broke);
      call.on('end', () => broke());
      return { call, waiting };
    })();
    opening.catch((error: unknown) => {
      if (lane === opening) lane = undefined;
      connection.met(error, client);
    });
    return opening;
  };

  return {
    /** Sends an append and waits so many milliseconds for the server's word. Throws NotSent, or Lost when the append may be stored. */
    send: async (stream: string, expected: Expected, events: readonly NewEvent[], ms: number): Promise<Said> => {
      const deadline = deadlineIn(ms);
      lane ??= open();
      const { call, waiting } = await within(ms, lane).catch((cause: unknown) => {
        throw new NotSent('EventStoreDB could not be reached', { cause });
      });
      const correlationId = randomUUID();
      const word = new Promise<Said>((resolve, reject) => {
        waiting.set(correlationId, { resolve, reject });
        for (const request of requestsOf(correlationId, stream, expected, events)) call.write(request);
      });
      return within(deadline.left(), word).catch((error: unknown) => {
        waiting.delete(correlationId);
        throw error instanceof Late ? new Lost(error.message, { cause: error }) : error;
      });
    },
  };
};
