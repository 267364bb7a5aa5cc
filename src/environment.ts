import { z } from 'zod';
import { currency, email, password, timeZone } from './domain/fields.ts';
import { StartupProblem } from './startupProblem.ts';

/** Which parts of the service this process runs. */
export const ROLES = ['api', 'projector', 'policies'] as const;
export type Role = (typeof ROLES)[number];

/** Levels of the log, from the most talkative. */
export const LOG_LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const listOf = <Item extends z.ZodType<unknown, string>>(item: Item) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item));

const urlOf = (schemes: readonly string[], message: string) =>
  z
    .string()
    .trim()
    .refine((text) => schemes.includes(URL.parse(text)?.protocol.slice(0, -1) ?? ''), message);

const webAddress = urlOf(['http', 'https'], 'must be an http or https address').transform((text) =>
  text.replace(/\/+$/, ''),
);

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .trim()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);

const secret = z.string().min(32, 'must have at least 32 characters');
const text = z.string().trim().min(1, 'must not be blank');
const role = z.enum(ROLES, `must be a list of ${ROLES.join(', ')}`);
const origin = webAddress.refine(
  (text) => URL.parse(text)?.origin === text,
  'must be a list of origins, such as https://app.example.org',
);
const sender = z
  .string()
  .trim()
  .regex(/^(?:[^<>\p{Cc}]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/u, 'must be an address, or a name and <address>');

/** What signs the notices of a service: `whsec_` and the base64 of the key. */
const webhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/, 'must be a list of secrets that begin with whsec_');

/** Where browsers may come out after a sign-in elsewhere: taken to the letter, so without a fragment that would be lost. */
const redirectUri = z.string().refine((text) => {
  const url = URL.parse(text);
  return url !== null && url.hash === '' && !text.includes('#') && !['javascript:', 'data:'].includes(url.protocol);
}, 'must be a list of addresses without a fragment, such as https://app.example.org/signed-in');

/** `info`, or `info,identity=debug`: one level for all, others for single contexts. */
const logLevel = z
  .string()
  .trim()
  .regex(
    new RegExp(`^(?:${LOG_LEVELS.join('|')})(?:,[a-z]+=(?:${LOG_LEVELS.join('|')}))*$`),
    `must be one of ${LOG_LEVELS.join(', ')}, or such as info,identity=debug`,
  )
  .transform((value) => {
    const [level, ...contexts] = value.split(',');
    return {
      level: z.enum(LOG_LEVELS).parse(level),
      contexts: Object.fromEntries(
        contexts.map((pair) => {
          const [context = '', own] = pair.split('=');
          return [context, z.enum(LOG_LEVELS).parse(own)];
        }),
      ),
    };
  });

/** Hops in front of the service, or the addresses and networks of the proxies that are believed. */
const trustProxy = z
  .string()
  .trim()
  .regex(/^(?:\d{1,2}|[0-9a-z.:/, ]+)$/i, 'must be a number of hops or a list of addresses and networks')
  .transform((value) => (/^\d+$/.test(value) ? Number(value) : value.split(',').map((part) => part.trim())));

/** Every variable that can be set, by its name. Names and defaults stand in docs/operations.md. */
export const Environment = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'staging', 'production'], 'must be development, test, staging or production')
    .default('development'),
  AGENCY_TIMEZONE: timeZone.default('Asia/Kolkata'),
  ANALYTICS_CURRENCY: currency.default('USD'),
  HOST: text.default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(3000),
  PUBLIC_URL: webAddress.optional(),
  CONVENE_DATA_DIR: text.optional(),
  CONVENE_ROLES: listOf(role).default([...ROLES]),
  DATABASE_URL: urlOf(['postgres', 'postgresql'], 'must be a postgres:// address').optional(),
  EVENTSTORE_URL: urlOf(
    ['esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover'],
    'must be an esdb:// or esdb+discover:// address',
  ).optional(),
  CONVENE_ADMIN_EMAIL: email.optional(),
  CONVENE_ADMIN_PASSWORD: password.optional(),
  JWT_SECRET: secret.optional(),
  JWT_SECRET_PREVIOUS: secret.optional(),
  CONVENE_MASTER_KEY: secret.optional(),
  CONVENE_MASTER_KEY_PREVIOUS: secret.optional(),
  CORS_ORIGINS: listOf(origin).default([]),
  SMTP_URL: urlOf(['smtp', 'smtps'], 'must be an smtp:// or smtps:// address').optional(),
  RESEND_API_KEY: text.optional(),
  RESEND_API_URL: webAddress.default('https://api.resend.com'),
  RESEND_WEBHOOK_SECRETS: listOf(webhookSecret).default([]),
  MAIL_FROM: sender.optional(),
  MAIL_REPLY_TO: sender.optional(),
  TWILIO_ACCOUNT_SID: text.optional(),
  TWILIO_AUTH_TOKEN: text.optional(),
  TWILIO_FROM: text.optional(),
  TWILIO_MESSAGING_SERVICE_SID: text.optional(),
  GOOGLE_CLIENT_ID: text.optional(),
  GOOGLE_CLIENT_SECRET: text.optional(),
  GOOGLE_ISSUER: webAddress.default('https://accounts.google.com'),
  GOOGLE_API_URL: webAddress.default('https://www.googleapis.com'),
  GITHUB_CLIENT_ID: text.optional(),
  GITHUB_CLIENT_SECRET: text.optional(),
  GITHUB_URL: webAddress.default('https://github.com'),
  GITHUB_API_URL: webAddress.default('https://api.github.com'),
  MICROSOFT_CLIENT_ID: text.optional(),
  MICROSOFT_CLIENT_SECRET: text.optional(),
  MICROSOFT_TENANT: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9.-]{1,100}$/, 'must be the id or a domain of a tenant, or common, organizations or consumers')
    .default('common'),
  MICROSOFT_ISSUER: webAddress.optional(),
  OAUTH_REDIRECT_URIS: listOf(redirectUri).default([]),
  OTEL_EXPORTER_OTLP_ENDPOINT: webAddress.optional(),
  LOG_LEVEL: logLevel.optional(),
  LOG_FILE: text.optional(),
  BACKUP_DIR: text.optional(),
  TRUST_PROXY: trustProxy.optional(),
  ALERT_EMAILS: listOf(email).default([]),
  ALERT_WEBHOOK_URL: webAddress.optional(),
  RATE_LIMIT_SCALE: z
    .string()
    .trim()
    .regex(/^\d+(?:\.\d+)?$/, 'must be a number above 0')
    .transform(Number)
    .refine((value) => value > 0 && value <= 1_000_000, 'must be a number above 0')
    .default(1),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  PASSWORD_COST: wholeNumber(4, 16).default(12),
});
export type Environment = z.infer<typeof Environment>;

/** What one variable, or two together, lack: `[name, what is wrong]`. */
type Complaint = readonly [name: string, what: string];

/** Checks that take several variables, on those that are good by themselves. */
function together(env: Partial<Environment>, bad: ReadonlySet<string>): Complaint[] {
  const complaints: Complaint[] = [];
  const need = (name: keyof Environment, why: string) => {
    if (env[name] === undefined && !bad.has(name)) complaints.push([name, why]);
  };
  if (env.NODE_ENV === 'production') {
    for (const name of ['JWT_SECRET', 'CONVENE_MASTER_KEY', 'CONVENE_ADMIN_EMAIL', 'CONVENE_ADMIN_PASSWORD'] as const) {
      need(name, 'is required in production');
    }
    if (env.CONVENE_DATA_DIR === undefined && !bad.has('CONVENE_DATA_DIR')) {
      need(
        'DATABASE_URL',
        'is required in production (or CONVENE_DATA_DIR, to use the embedded database deliberately)',
      );
    }
    if (env.PASSWORD_COST !== undefined && env.PASSWORD_COST < 12) {
      complaints.push(['PASSWORD_COST', 'must be at least 12 in production']);
    }
  }
  if (env.SMTP_URL !== undefined && env.RESEND_API_KEY !== undefined) {
    complaints.push(['RESEND_API_KEY', 'contradicts SMTP_URL: set one of them']);
  }
  if (env.SMTP_URL !== undefined || env.RESEND_API_KEY !== undefined) need('MAIL_FROM', 'is required to send mail');
  if (env.TWILIO_ACCOUNT_SID !== undefined) need('TWILIO_AUTH_TOKEN', 'is required with TWILIO_ACCOUNT_SID');
  if (env.TWILIO_AUTH_TOKEN !== undefined) need('TWILIO_ACCOUNT_SID', 'is required with TWILIO_AUTH_TOKEN');
  if (env.TWILIO_ACCOUNT_SID !== undefined && env.TWILIO_MESSAGING_SERVICE_SID === undefined) {
    need('TWILIO_FROM', 'or TWILIO_MESSAGING_SERVICE_SID is required with TWILIO_ACCOUNT_SID');
  }
  for (const provider of ['GOOGLE', 'GITHUB', 'MICROSOFT'] as const) {
    const [id, key] = [`${provider}_CLIENT_ID`, `${provider}_CLIENT_SECRET`] as const;
    if (env[id] !== undefined) need(key, `is required with ${id}`);
    if (env[key] !== undefined) need(id, `is required with ${key}`);
  }
  if (env.NODE_ENV === 'production') {
    for (const name of [
      'GOOGLE_ISSUER',
      'GOOGLE_API_URL',
      'GITHUB_URL',
      'GITHUB_API_URL',
      'MICROSOFT_ISSUER',
      'RESEND_API_URL',
    ] as const) {
      if (env[name]?.startsWith('http:')) complaints.push([name, 'must be an https address in production']);
    }
  }
  return complaints;
}

/**
 * The variables that are set, parsed; an empty one counts as not set. Throws StartupProblem naming every bad one at once,
 * and never a value: it may be a secret.
 */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''));
  const complaints: Complaint[] = [];
  const env: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(Environment.shape)) {
    const parsed = schema.safeParse(set[name]);
    if (parsed.success) env[name] = parsed.data;
    else
      complaints.push([
        name,
        (parsed.error.issues[0]?.message ?? 'is not valid').replace(/^[A-Z](?=[a-z])/, (letter) =>
          letter.toLowerCase(),
        ),
      ]);
  }
  complaints.push(...together(env, new Set(complaints.map(([name]) => name))));
  if (complaints.length > 0) {
    throw new StartupProblem(
      ['The configuration is not valid:', ...complaints.map(([name, what]) => `  ${name} ${what}`)].join('\n'),
    );
  }
  return env as Environment;
}
