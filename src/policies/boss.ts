import { type JobWithMetadata, PgBoss, type WorkOptions } from 'pg-boss';
import type { Logger } from 'pino';
import { describe } from '../eventstore/consumer/faults.ts';
import { isFinal } from '../integrations/delivery.ts';
import { uuid5 } from '../uuid.ts';
import { AttemptNoted } from './attempts.ts';
import type { Backoff, Retry } from './jobs.ts';

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

/** What came of one attempt. `given-up`: it was the last, and the job lies among the dead letters. */
export type JobOutcome = 'done' | 'failed' | 'given-up';

export type QueueOptions = {
  readonly connectionString: string;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Every job by its name. */
  readonly work: Readonly<Record<string, Work>>;
  /** For jobs that say nothing of their own, and for those whose process ended in the middle of one. */
  readonly retry: Backoff;
  readonly observe?: (job: string, outcome: JobOutcome) => void;
};

const SCHEMA = 'pgboss';
const QUEUE = 'jobs';
/** Where jobs end that failed to the last. */
const DEAD_LETTERS = 'dead-jobs';
const POLL_SECONDS = 2;
const EXPIRE_SECONDS = 300;
const STOP_MS = 8_000;

/** `pauses`: how many of a job's own pauses have passed. */
type Payload = { readonly job: string; readonly data: unknown; readonly pauses?: number };

type Running = Pick<JobWithMetadata<Payload>, 'id' | 'data' | 'retryCount' | 'retryLimit'>;

const retryOptions = (retry: Retry | undefined) =>
  retry === undefined || 'pausesSeconds' in retry
    ? {}
    : {
        retryLimit: retry.limit,
        retryDelay: retry.delaySeconds,
        retryDelayMax: retry.maxDelaySeconds,
        retryBackoff: true,
      };

/**
 * The queue of timers and outside effects, on pg-boss. A job due now is started by a notification, one due later within
 * two seconds of its time; one that fails is repeated after pauses and ends among the dead letters, where one whose failure
 * is final goes at once.
 */
export const startQueue = async (options: QueueOptions): Promise<JobQueue> => {
  const { connectionString, log, work, retry, observe } = options;
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
  const queue = { deadLetter: DEAD_LETTERS, notify: true, expireInSeconds: EXPIRE_SECONDS, ...retryOptions(retry) };
  await boss.createQueue(QUEUE, queue);
  await boss.updateQueue(QUEUE, queue);

  const add = async (jobs: readonly (Queued & { readonly pauses?: number })[]): Promise<void> => {
    if (jobs.length === 0) return;
    await boss.insert(
      QUEUE,
      jobs.map(({ id, job, data, pauses, at }) => ({
        id,
        data: { job, data, ...(pauses === undefined ? {} : { pauses }) },
        ...(at === undefined ? {} : { startAfter: at }),
        ...retryOptions(work[job]?.retry),
      })),
    );
  };

  /** The library knows no pauses of one's own choice: the next attempt is a job of its own, whose id follows from this one's. */
  const fail = async ({ id, data: { job, data, pauses = 0 }, retryCount, retryLimit }: Running, error: unknown) => {
    // The queue keeps what it is told, and the text of an error can quote personal data.
    const output = { error: describe(error) };
    if (error instanceof AttemptNoted && !error.last) {
      log.warn({ job, id, ...output }, 'job failed');
      observe?.(job, 'failed');
      return { id, status: 'completed' as const, output };
    }
    const own = work[job]?.retry;
    const left = own !== undefined && 'pausesSeconds' in own ? own.pausesSeconds.slice(pauses) : undefined;
    if (
      error instanceof AttemptNoted ||
      isFinal(error) ||
      left?.length === 0 ||
      (left === undefined && retryCount >= retryLimit)
    ) {
      log.error({ job, id, ...output }, 'job given up');
      observe?.(job, 'given-up');
      return { id, status: 'deadletter' as const, output };
    }
    log.warn({ job, id, ...output }, 'job failed');
    observe?.(job, 'failed');
    const [seconds] = left ?? [];
    if (seconds === undefined) return { id, status: 'failed' as const, output };
    const next = { id: uuid5('again', id), job, data, pauses: pauses + 1, at: new Date(Date.now() + seconds * 1000) };
    return add([next]).then(
      () => ({ id, status: 'completed' as const, output }),
      () => ({ id, status: 'failed' as const, output }),
    );
  };

  const perform = async (running: Running) => {
    const { id, data } = running;
    try {
      const known = work[data.job];
      if (known === undefined) throw new Error(`There is no job called ${data.job}`);
      await known.run(data.data);
      observe?.(data.job, 'done');
      return { id, status: 'completed' as const };
    } catch (error) {
      return fail(running, error);
    }
  };
  await boss.work<Payload, unknown, WorkOptions & { perJobResults: true; includeMetadata: true }>(
    QUEUE,
    {
      batchSize: 10,
      localConcurrency: 2,
      burstWhenBatchFull: true,
      perJobResults: true,
      includeMetadata: true,
      pollingIntervalSeconds: POLL_SECONDS,
      // Notifications tell of new jobs only; timers come due in silence.
      notifyPollingIntervalSeconds: POLL_SECONDS,
    },
    (batch) => Promise.all(batch.map(perform)),
  );

  return { add, close: () => boss.stop({ graceful: true, timeout: STOP_MS }) };
};
