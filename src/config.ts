import { resolve } from 'node:path';
import { type Environment, parseEnvironment, type Role } from './environment.ts';

/** Variables that are checked already, for what is still to come: setting one has no effect in this version. */
const UNUSED = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'LOG_FILE',
  'BACKUP_DIR',
  'ALERT_EMAILS',
  'ALERT_WEBHOOK_URL',
] as const satisfies readonly (keyof Environment)[];

/**
 * The configuration of this process, from environment variables. Throws StartupProblem naming every bad variable at once,
 * and never a value: it may be a secret.
 */
export const parseConfig = (variables: Readonly<Record<string, string | undefined>>) =>
  configOf(parseEnvironment(variables));

/** Everything that can be set, parsed. What is undefined was not set and has no default. */
export type Config = ReturnType<typeof parseConfig>;

/** Where people reach the service: as configured, else where it listens. */
export const publicUrlOf = ({ publicUrl, host, port }: Pick<Config, 'publicUrl' | 'host' | 'port'>): string =>
  publicUrl ?? `http://${host}:${port}`;

/** What a provider knows this service by; undefined where it is not set. */
const clientOf = (clientId: string | undefined, clientSecret: string | undefined) =>
  clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret };

const signInOf = (env: Environment) => {
  const google = clientOf(env.GOOGLE_CLIENT_ID, env.GOOGLE_CLIENT_SECRET);
  const github = clientOf(env.GITHUB_CLIENT_ID, env.GITHUB_CLIENT_SECRET);
  const microsoft = clientOf(env.MICROSOFT_CLIENT_ID, env.MICROSOFT_CLIENT_SECRET);
  const microsoftIssuer = env.MICROSOFT_ISSUER ?? `https://login.microsoftonline.com/${env.MICROSOFT_TENANT}/v2.0`;
  return {
    google: google && { ...google, issuer: env.GOOGLE_ISSUER },
    github: github && { ...github, url: env.GITHUB_URL, apiUrl: env.GITHUB_API_URL },
    microsoft: microsoft && { ...microsoft, issuer: microsoftIssuer },
    /** Where browsers may come out, to the letter. */
    redirectUris: env.OAUTH_REDIRECT_URIS,
  };
};

const configOf = (env: Environment) => ({
  /** Names of variables that are set without effect. */
  unused: UNUSED.filter((name) => [env[name] ?? []].flat().length > 0),
  environment: env.NODE_ENV,
  production: env.NODE_ENV === 'production',
  /** Whether others than its developers use it. */
  served: env.NODE_ENV === 'production' || env.NODE_ENV === 'staging',
  /** IANA time zone of the agency's business days. */
  agencyTimeZone: env.AGENCY_TIMEZONE,
  /** ISO 4217 currency that figures are summed in. */
  analyticsCurrency: env.ANALYTICS_CURRENCY,
  host: env.HOST,
  /** 0 takes any free port. */
  port: env.PORT,
  /** Where people reach the service, without a slash at its end; when not set, where it listens. */
  publicUrl: env.PUBLIC_URL,
  /** Absolute path. */
  dataDir: resolve(env.CONVENE_DATA_DIR ?? '.convene'),
  roles: new Set<Role>(env.CONVENE_ROLES) as ReadonlySet<Role>,
  /** A PostgreSQL of one's own; when not set, the embedded one. */
  databaseUrl: env.DATABASE_URL,
  /** EventStoreDB; when not set, the log lies in PostgreSQL. */
  eventStoreUrl: env.EVENTSTORE_URL,
  adminEmail: env.CONVENE_ADMIN_EMAIL ?? 'admin@example.org',
  adminPassword: env.CONVENE_ADMIN_PASSWORD,
  jwtSecret: env.JWT_SECRET,
  jwtSecretPrevious: env.JWT_SECRET_PREVIOUS,
  masterKey: env.CONVENE_MASTER_KEY,
  masterKeyPrevious: env.CONVENE_MASTER_KEY_PREVIOUS,
  corsOrigins: env.CORS_ORIGINS,
  smtpUrl: env.SMTP_URL,
  resendApiKey: env.RESEND_API_KEY,
  resendApiUrl: env.RESEND_API_URL,
  /** Any of them may sign a notice: while one is being replaced, two do. */
  resendWebhookSecrets: env.RESEND_WEBHOOK_SECRETS,
  mailFrom: env.MAIL_FROM ?? 'Convene <no-reply@example.org>',
  /** Where answers to mails go, when not to the sender. */
  mailReplyTo: env.MAIL_REPLY_TO,
  twilio:
    env.TWILIO_ACCOUNT_SID === undefined || env.TWILIO_AUTH_TOKEN === undefined
      ? undefined
      : {
          accountSid: env.TWILIO_ACCOUNT_SID,
          authToken: env.TWILIO_AUTH_TOKEN,
          from: env.TWILIO_FROM,
          messagingServiceSid: env.TWILIO_MESSAGING_SERVICE_SID,
        },
  /** The providers that people may sign in with, where they are configured. */
  signIn: signInOf(env),
  /** The calendars that appointments are written to: of the client that people sign in and connect with. */
  calendars: { google: env.GOOGLE_CLIENT_ID === undefined ? undefined : { apiUrl: env.GOOGLE_API_URL } },
  otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
  logLevel: env.LOG_LEVEL?.level ?? (env.NODE_ENV === 'test' ? 'warning' : 'info'),
  /** Levels of single contexts that differ from `logLevel`. */
  logContexts: env.LOG_LEVEL?.contexts ?? {},
  logFile: env.LOG_FILE === undefined ? undefined : resolve(env.LOG_FILE),
  backupDir: env.BACKUP_DIR === undefined ? undefined : resolve(env.BACKUP_DIR),
  /** Number of hops or the proxies' addresses and networks; false believes no forwarding header. */
  trustProxy: env.TRUST_PROXY ?? (false as const),
  alertEmails: env.ALERT_EMAILS,
  alertWebhookUrl: env.ALERT_WEBHOOK_URL,
  /** Multiplies every rate limit. */
  rateLimitScale: env.RATE_LIMIT_SCALE,
  metricsToken: env.METRICS_TOKEN,
  /** bcrypt cost. */
  passwordCost: env.PASSWORD_COST,
});
