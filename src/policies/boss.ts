import { PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { describe } from '../eventstore/consumer/faults.ts';
import type { Retry } from './jobs.ts';

/** A job on its way into the queue. */
export type Queued = {
  /** UUID. A job whose id is in the queue already, or was done in the last seven days, is not added again. */
  readonly id: string;
  readonly job: string;
  /** Plain JSON without personal data. */
  readonly data: unknown;
  /** Not before; at once when omitted. */
  readonly at?: Date;
};

/** A job as the worker runs it. */
export type Work = { readonly run: (data: unknown) => Promise<void>; readonly retry?: Retry };

export type JobQueue = {
  readonly add: (jobs: readonly Queued[]) => Promise<void>;
  /** Lets running jobs finish, at most 8 s; what is cut off is done again. */
  readonly close: () => Promise<void>;
};

export type QueueOptions = {
  readonly connectionString: string;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Every job by its name. */
  readonly work: Readonly<Record<string, Work>>;
  readonly retry: Retry;
};

const SCHEMA = 'pgboss';
const QUEUE = 'jobs';
/** Where jobs end that failed to the last. */
const DEAD_LETTERS = 'dead-jobs';
const POLL_SECONDS = 2;
const EXPIRE_SECONDS = 300;
const STOP_MS = 8_000;

type Payload = { readonly job: string; readonly data: unknown };

const retryOptions = ({ limit, delaySeconds, maxDelaySeconds }: Retry) => ({
  retryLimit: limit,
  retryDelay: delaySeconds,
  retryDelayMax: maxDelaySeconds,
  retryBackoff: true,
});

/**
 * The queue of timers and outside effects, on pg-boss. A job due now is started by a notification, one due later within
 * two seconds of its time; one that fails is repeated with growing pauses and ends among the dead letters.
 */
export const startQueue = async ({ connectionString, log, work, retry }: QueueOptions): Promise<JobQueue> => {
  const boss = new PgBoss({
    connectionString,
    schema: SCHEMA,
    application_name: 'convene-jobs',
    max: 3,
    schedule: false,
    useListenNotify: true,
  });
  boss.on('error', (error) => log.warn({ error: describe(error) }, 'job queue'));
  await boss.start();
  await boss.createQueue(DEAD_LETTERS);
  const options = { deadLetter: DEAD_LETTERS, notify: true, expireInSeconds: EXPIRE_SECONDS, ...retryOptions(retry) };
  await boss.createQueue(QUEUE, options);
  await boss.updateQueue(QUEUE, options);

  const perform = async ({ id, data: { job, data } }: { readonly id: string; readonly data: Payload }) => {
    try {
      const known = work[job];
      if (known === undefined) throw new Error(`There is no job called ${job}`);
      await known.run(data);
      return { id, status: 'completed' as const };
    } catch (error) {
      log.warn({ job, id, error: describe(error) }, 'job failed');
      // The queue keeps what it is told, and the text of an error can quote personal data.
      return { id, status: 'failed' as const, output: { error: describe(error) } };
    }
  };
  await boss.work<Payload>(
    QUEUE,
    {
      batchSize: 10,
      localConcurrency: 2,
      burstWhenBatchFull: true,
      perJobResults: true,
      pollingIntervalSeconds: POLL_SECONDS,
      // Notifications tell of new jobs only; timers come due in silence.
      notifyPollingIntervalSeconds: POLL_SECONDS,
    },
    (batch) => Promise.all(batch.map(perform)),
  );

  return {
    add: async (jobs) => {
      if (jobs.length === 0) return;
      await boss.insert(
        QUEUE,
        jobs.map(({ id, job, data, at }) => ({
          id,
          data: { job, data },
          ...(at === undefined ? {} : { startAfter: at }),
          ...(work[job]?.retry === undefined ? {} : retryOptions(work[job].retry)),
        })),
      );
    },
    close: () => boss.stop({ graceful: true, timeout: STOP_MS }),
  };
};
