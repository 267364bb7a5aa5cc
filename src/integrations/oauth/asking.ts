import type { NotProved } from '../../domain/oauth.ts';
import { type Circuit, createCircuit } from '../circuit.ts';

/** The provider does not vouch for the sign-in. Neither text nor cause is kept: both quote tokens. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused';
}

/** The provider gave no answer that can be used. */
export class SignInUnavailable extends Error {
  override readonly name = 'SignInUnavailable';
}

/** Milliseconds that a provider may take for everything that one call asks of it. */
export const TIMEOUT_MS = 5_000;

/** What libraries say when they got no answer; anything else is an answer that was not good enough. */
const UNANSWERED = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC']);

const statusOf = (error: Error): number => {
  const { cause } = error;
  if ('status' in error && typeof error.status === 'number') return error.status;
  return cause instanceof Response ? cause.status : 0;
};

/** Whether the provider itself failed, so that another attempt may succeed. */
const isUnanswered = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  if (error instanceof SignInUnavailable) return true;
  if ('code' in error && UNANSWERED.has(String(error.code))) return true;
  const status = statusOf(error);
  if (status >= 500 || status === 429) return true;
  // What fetch throws when nobody answers, bare or as the cause of what a library throws.
  const isFetchFailure = (one: unknown): boolean =>
    (one instanceof TypeError && one.message === 'fetch failed') ||
    (one instanceof Error && ['TimeoutError', 'AbortError'].includes(one.name));
  return isFetchFailure(error) || (error.cause !== error && isFetchFailure(error.cause));
};

const late = (timeoutMs: number) => {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, fail) => {
    timer = setTimeout(() => fail(new SignInUnavailable()), timeoutMs);
  });
  return { expired, stop: () => clearTimeout(timer) };
};

/** Asks one provider: within the time, behind a circuit, and with two kinds of failure that tell nothing of tokens. */
export const asking = (
  service: string,
  timeoutMs = TIMEOUT_MS,
): {
  readonly circuit: Circuit;
  readonly ask: <Result>(call: () => Promise<Result>) => Promise<Result | NotProved>;
} => {
  const isRefusal = (error: unknown): boolean => error instanceof SignInRefused;
  const circuit = createCircuit(service, undefined, isRefusal);
  const told = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    const { expired, stop } = late(timeoutMs);
    try {
      return await Promise.race([call(), expired]);
    } catch (error) {
      throw isRefusal(error) || !isUnanswered(error) ? new SignInRefused() : new SignInUnavailable();
    } finally {
      stop();
    }
  };
  return {
    circuit,
    ask: (call) =>
      circuit.run(() => told(call)).catch((error: unknown) => (isRefusal(error) ? 'refused' : 'unavailable')),
  };
};
