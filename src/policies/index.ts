import { bindings } from '../commands/bindings.ts';
import type { Commands } from '../commands/pipeline.ts';
import { deciders } from '../domain/catalogue.ts';
import type { Codec } from '../eventstore/codec.ts';
import { describe } from '../eventstore/consumer/faults.ts';
import { accessPolicies } from './access.ts';
import { bookingPolicies } from './booking.ts';
import { bookingMailPolicies } from './bookingMails.ts';
import { type QueueOptions, startQueue, type Work } from './boss.ts';
import { calendarPolicies } from './calendar/index.ts';
import { estimationPolicies } from './estimation.ts';
import { createExecute } from './execute.ts';
import { identityPolicies } from './identity.ts';
import { type JobDeps, jobs, RETRY } from './jobs.ts';
import { messagingPolicies } from './messaging.ts';
import type { AnyPolicy } from './policy.ts';
import { issueCommand, type Observe, TIMED_COMMAND, type TimedCommand } from './reacting.ts';
import { createPolicyRunner, type PolicyRunner, type PolicyRunnerOptions } from './runner.ts';
import { suspicionPolicies } from './suspicion.ts';
import { runSweeps, sweeps } from './sweeps.ts';
import { waitingListPolicies } from './waitingLists.ts';

export { registerPolicies } from './runner.ts';

/** Every policy of the service. */
export const policies: readonly AnyPolicy[] = [
  ...accessPolicies,
  ...identityPolicies,
  ...suspicionPolicies,
  ...messagingPolicies,
  ...calendarPolicies,
  ...bookingPolicies,
  ...waitingListPolicies,
  ...bookingMailPolicies,
  ...estimationPolicies,
];

export type PoliciesOptions = Pick<PolicyRunnerOptions, 'pool' | 'feed' | 'store' | 'log'> &
  Omit<JobDeps, 'reads' | 'execute'> & {
    readonly codec: Pick<Codec, 'decode'>;
    readonly commands: Commands;
    readonly databaseUrl: string;
    readonly observe?: Observe;
    readonly observeJob?: QueueOptions['observe'];
  };

/**
 * Runs the service's policies, their timers and their outside effects. Timers and effects are taken by every process
 * that has this role, the policies themselves by one at a time.
 */
export const runPolicies = async (options: PoliciesOptions): Promise<PolicyRunner> => {
  const { codec, commands, databaseUrl, log, observeJob, mailer, sms, forget, publicUrl, sender, calendars } = options;
  const execute = createExecute(commands, bindings);
  const deps: JobDeps = { reads: commands.reads, execute, mailer, sms, forget, publicUrl, sender, calendars };
  const work: Record<string, Work> = {
    [TIMED_COMMAND]: { run: (data) => issueCommand(data as TimedCommand, { ...options, execute }) },
  };
  for (const [name, { run, ...retry }] of Object.entries(jobs))
    work[name] = { run: (data) => run(data, deps), ...retry };
  const queue = await startQueue({
    connectionString: databaseUrl,
    log,
    work,
    retry: RETRY,
    ...(observeJob === undefined ? {} : { observe: observeJob }),
  });
  try {
    const runner = await createPolicyRunner({
      ...options,
      decode: codec.decode,
      execute,
      queue,
      policies,
      aggregates: deciders,
    });
    const sweeping = runSweeps({
      sweeps,
      leads: runner.leads,
      reads: commands.reads,
      execute,
      onError: (sweep, error) => log.warn({ sweep, error: describe(error) }, 'sweep failed'),
    });
    const close = async (): Promise<void> => {
      await sweeping.close();
      await runner.close().finally(queue.close);
    };
    return { leads: runner.leads, close };
  } catch (error) {
    await queue.close();
    throw error;
  }
};
