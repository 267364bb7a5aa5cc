import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type shared from '@eventstore/db-client/generated/shared_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams, { type DeleteReq, type TombstoneReq } from '@eventstore/db-client/generated/streams_pb.js';
import { status as codes, Server, ServerCredentials, type UntypedHandleCall } from '@grpc/grpc-js';
import { append, batchAppend, type Pace } from './appends.ts';
import { link } from './link.ts';
import { createLog } from './log.ts';
import { read } from './reads.ts';

export type StandIn = Awaited<ReturnType<typeof standIn>>;

const KEY = fileURLToPath(import.meta.resolve('./tls/key.pem'));
const CERTIFICATE = fileURLToPath(import.meta.resolve('./tls/certificate.pem'));

type Answering = (error: null, answer: object) => void;
const nameOf = (identifier: InstanceType<typeof shared.StreamIdentifier> | undefined): string =>
  new TextDecoder().decode(identifier?.getStreamName_asU8());

/**
 * An EventStoreDB of one node, in memory, behind a link that can fail: it speaks the real protocol by the client's own
 * definitions and is no kinder than the server it stands in for. Events outlive a restart; what a server keeps in memory
 * does not. With `credentials` (`name:password`) it speaks TLS and refuses everyone else.
 */
export const standIn = async ({ credentials }: { readonly credentials?: string } = {}) => {
  const log = createLog();
  let dropped = 0;
  const calls = new Set<(code: number, details: string) => void>();
  let refusals = 0;
  let holding = Promise.resolve();
  let release: () => void = () => {};

  const pace: Pace = {
    committed: async () => {
      await turn();
      await holding;
    },
    notReady: () => {
      if (refusals === 0) return false;
      refusals -= 1;
      return true;
    },
    dropping: () => {
      dropped += 1;
    },
    refuses: (metadata) => {
      const basic = `Basic ${Buffer.from(credentials ?? '').toString('base64')}`;
      return credentials !== undefined && metadata.get('authorization')[0] !== basic;
    },
    opened: (fail) => {
      calls.add(fail);
      return () => calls.delete(fail);
    },
  };

  const server = new Server({ 'grpc.max_receive_message_length': 16 * 1_048_576 });
  server.addService(StreamsService, {
    read: read(log, pace) as UntypedHandleCall,
    append: append(log, pace) as UntypedHandleCall,
    batchAppend: batchAppend(log, pace) as UntypedHandleCall,
    delete: ((call: { request: DeleteReq }, done: Answering) => {
      log.delete(nameOf(call.request.getOptions()?.getStreamIdentifier()));
      done(null, new streams.DeleteResp());
    }) as UntypedHandleCall,
    tombstone: ((call: { request: TombstoneReq }, done: Answering) => {
      log.tombstone(nameOf(call.request.getOptions()?.getStreamIdentifier()));
      done(null, new streams.TombstoneResp());
    }) as UntypedHandleCall,
  });
  server.addService(ServerFeaturesService, {
    getSupportedMethods: ((_call: object, done: Answering) => {
      const answer = new features.SupportedMethods().setEventStoreServerVersion('23.10.8');
      for (const method of Object.keys(StreamsService))
        answer.addMethods(
          new features.SupportedMethod()
            .setServiceName('event_store.client.streams.streams')
            .setMethodName(method.toLowerCase()),
        );
      done(null, answer);
    }) as UntypedHandleCall,
  });
  const secrets =
    credentials === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { private_key: await readFile(KEY), cert_chain: await readFile(CERTIFICATE) },
        ]);
  const serverPort = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', secrets, (error, port) => (error ? reject(error) : resolve(port))),
  );
  const network = await link(serverPort);

  return {
    connectionString:
      credentials === undefined
        ? `esdb://127.0.0.1:${network.port}?tls=false`
        : `esdb://${credentials}@localhost:${network.port}?tlsCAFile=${encodeURIComponent(CERTIFICATE)}`,
    log,
    /** How many subscriptions were given up because their reader was too slow. */
    dropped: () => dropped,
    /** Gone at once, as by SIGKILL: what it has heard is stored, what it would have answered is lost. */
    kill: async (): Promise<void> => {
      await network.down();
      log.forget();
    },
    /** Started again after `kill`; it refuses so many calls before it is ready. */
    start: async (notReady = 0): Promise<void> => {
      refusals = notReady;
      await network.raise();
    },
    /** Breaks the connections that are open; new ones are taken. */
    cut: network.cut,
    /** Stops without closing anything, as by SIGSTOP. */
    freeze: network.freeze,
    thaw: network.thaw,
    /** Appends are stored, their answers never arrive. Ends with the connections. */
    muffle: network.muffle,
    /** Holds back the answers to appends that are stored. */
    hold: (): void => {
      holding = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: (): void => release(),
    /** Ends every open call as a server does that was asked to stop. */
    terminate: (): void => {
      for (const fail of [...calls]) fail(codes.INTERNAL, 'Server is shutting down');
    },
    close: (): void => {
      network.close();
      server.forceShutdown();
    },
  };
};
