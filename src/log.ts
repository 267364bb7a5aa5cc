import pino, { type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';
import type { LogLevel } from './environment.ts';

export type { Logger } from 'pino';

/** Names of fields that never reach the log in the clear, as keys in lower case without `_` and `-`. */
const HIDDEN = new Set([
  'password',
  'newpassword',
  'currentpassword',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'challengetoken',
  'csrftoken',
  'code',
  'secret',
  'clientsecret',
  'authorization',
  'cookie',
  'setcookie',
  'xapikey',
  'apikey',
  'phone',
  'phonenumber',
  'number',
  'email',
  'recipient',
  'documentnumber',
  'documentnumbers',
  'pan',
  'aadhaar',
  'passport',
  'displayname',
]);
const REDACTED = '[redacted]';
const LEVELS_DEEP = 6;

const isHidden = (key: string): boolean => HIDDEN.has(key.toLowerCase().replace(/[_-]/g, ''));

const ADDRESS = /[^\s@"'<>()]{1,64}@[^\s@"'<>()]{1,255}/g;
/** Values that databases quote in their messages: `Key (email)=(someone@example.org) already exists`. */
const QUOTED = /=\([^)]*\)/g;
const withoutPersons = (text: string): string =>
  text.includes('@') || text.includes('=(') ? text.replace(ADDRESS, REDACTED).replace(QUOTED, `=(${REDACTED})`) : text;

/** Error codes are no secrets: `ECONNREFUSED`, `23505`. */
const errorOf = (error: Error, depth: number): object => ({
  type: error.name,
  message: withoutPersons(error.message),
  ...('code' in error && typeof error.code === 'string' ? { errorCode: error.code } : {}),
  stack: withoutPersons(error.stack ?? ''),
  ...(error.cause instanceof Error && depth < LEVELS_DEEP ? { cause: errorOf(error.cause, depth + 1) } : {}),
});

/** A value as it may stand in the log: secrets and what identifies a person replaced, at any depth. */
export const redact = (value: unknown, depth = 0): unknown => {
  if (value instanceof Error) return errorOf(value, depth);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return withoutPersons(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= LEVELS_DEEP) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isHidden(key) ? REDACTED : redact(item, depth + 1)]),
  );
};

const CUSTOM_LEVELS = { debug: 20, info: 30, warning: 40, error: 50, critical: 60 } as const satisfies Record<
  LogLevel,
  number
>;
const pinoLevel = { debug: 'debug', info: 'info', warning: 'warn', error: 'error', critical: 'fatal' } as const;
const nameOfLevel = new Map(Object.entries(CUSTOM_LEVELS).map(([name, value]) => [value as number, name]));

/**
 * The service's log: one JSON object per line, in development coloured lines for people. Nothing that identifies a
 * person and no secret passes it, wherever it stands in what is logged.
 */
export const createLog = (
  config: Pick<Config, 'environment' | 'logLevel'>,
  destination?: DestinationStream,
): Logger => {
  const readable = config.environment === 'development' && destination === undefined;
  return pino(
    {
      level: pinoLevel[config.logLevel],
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label, value) => ({ level: readable ? label : (nameOfLevel.get(value) ?? label) }),
        log: (fields) => redact(fields) as Record<string, unknown>,
      },
      // Errors were turned into plain fields above, without what they quote.
      serializers: { err: (err: unknown) => err },
      hooks: {
        logMethod(args, method) {
          return method.apply(
            this,
            args.map((arg) => (typeof arg === 'string' ? withoutPersons(arg) : arg)) as typeof args,
          );
        },
      },
    },
    destination ?? (readable ? prettyStream() : pino.destination({ fd: 1, sync: false })),
  );
};

/** Coloured lines, written from this thread, so that nothing is lost when it ends. */
const prettyStream = (): DestinationStream =>
  pretty({ colorize: process.stdout.isTTY, translateTime: 'SYS:HH:MM:ss', singleLine: true, sync: true });

/** The child that logs for one context, at its own level when LOG_LEVEL names one (`info,identity=debug`). */
export const contextLog = (log: Logger, context: string, { logContexts }: Pick<Config, 'logContexts'>): Logger => {
  const own = logContexts[context];
  return log.child({ context }, own === undefined ? {} : { level: pinoLevel[own] });
};
