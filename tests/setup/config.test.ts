import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../src/config.ts';
import { Environment } from '../../src/environment.ts';
import { StartupProblem } from '../../src/startupProblem.ts';

const problemOf = (env: Record<string, string>): string => {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof StartupProblem) return error.message;
    throw error;
  }
  return '';
};

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://db.example.org/convene',
  JWT_SECRET: 'j'.repeat(40),
  CONVENE_MASTER_KEY: 'm'.repeat(40),
  CONVENE_ADMIN_EMAIL: 'admin@example.org',
  CONVENE_ADMIN_PASSWORD: 'Correct-horse-1',
};

t.test('the configuration', async (t) => {
  t.test('needs nothing outside production', async (t) => {
    const config = parseConfig({});
    t.match(config, {
      environment: 'development',
      production: false,
      agencyTimeZone: 'Asia/Kolkata',
      host: '127.0.0.1',
      port: 3000,
      databaseUrl: undefined,
      trustProxy: false,
      rateLimitScale: 1,
      passwordCost: 12,
    });
    t.same([...config.roles], ['api', 'projector', 'policies']);
    t.equal(config.dataDir, join(process.cwd(), '.convene'));
  });

  t.test('takes an empty variable for one not set', async (t) =>
    t.equal(parseConfig({ PORT: '', CORS_ORIGINS: '' }).port, 3000),
  );

  t.test('reads lists, numbers and levels', async (t) => {
    const config = parseConfig({
      CONVENE_ROLES: 'api, policies',
      CORS_ORIGINS: 'https://one.example.org,http://localhost:5173',
      TRUST_PROXY: '10.0.0.0/8, ::1',
      LOG_LEVEL: 'warning,identity=debug',
      RATE_LIMIT_SCALE: '2.5',
      PUBLIC_URL: 'https://convene.example.org/',
      ALERT_EMAILS: 'a@example.org, B@Example.org',
    });
    t.same([...config.roles], ['api', 'policies']);
    t.match(config, {
      corsOrigins: ['https://one.example.org', 'http://localhost:5173'],
      trustProxy: ['10.0.0.0/8', '::1'],
      logLevel: 'warning',
      logContexts: { identity: 'debug' },
      rateLimitScale: 2.5,
      publicUrl: 'https://convene.example.org',
      alertEmails: ['a@example.org', 'b@example.org'],
    });
    t.equal(parseConfig({ TRUST_PROXY: '2' }).trustProxy, 2);
  });

  t.test('reports every bad variable at once, by name and never by value', async (t) => {
    const bad = {
      NODE_ENV: 'prod',
      AGENCY_TIMEZONE: 'Mars/Olympus',
      ANALYTICS_CURRENCY: 'rupees',
      PORT: '70000',
      PUBLIC_URL: 'ftp://files',
      CONVENE_ROLES: 'api,cook',
      DATABASE_URL: 'mysql://user:hunter2@db',
      EVENTSTORE_URL: 'http://hunter2',
      CONVENE_ADMIN_EMAIL: 'hunter2',
      CONVENE_ADMIN_PASSWORD: 'hunter2',
      JWT_SECRET: 'hunter2',
      JWT_SECRET_PREVIOUS: 'hunter2',
      CONVENE_MASTER_KEY: 'hunter2',
      CONVENE_MASTER_KEY_PREVIOUS: 'hunter2',
      CORS_ORIGINS: 'https://one.example.org/path',
      SMTP_URL: 'imap://hunter2',
      MAIL_FROM: 'hunter2',
      MAIL_REPLY_TO: 'hunter2\r\nBcc: a@example.org',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'hunter2',
      LOG_LEVEL: 'loud',
      TRUST_PROXY: '!!',
      ALERT_EMAILS: 'hunter2',
      ALERT_WEBHOOK_URL: 'hunter2',
      RATE_LIMIT_SCALE: '0',
      METRICS_TOKEN: 'hunter2',
      PASSWORD_COST: '99',
    };
    const problem = problemOf(bad);
    for (const name of Object.keys(bad)) t.match(problem, new RegExp(`^  ${name} `, 'm'), name);
    t.equal(problem.split('\n').length, 1 + Object.keys(bad).length, 'and none twice');
    t.notMatch(problem, /hunter2/);
  });

  t.test('is whole in production or does not start', async (t) => {
    t.equal(parseConfig(production).production, true);
    const problem = problemOf({ NODE_ENV: 'production', PASSWORD_COST: '4' });
    for (const name of [...Object.keys(production).filter((name) => name !== 'NODE_ENV'), 'PASSWORD_COST']) {
      t.match(problem, new RegExp(`^  ${name} `, 'm'), name);
    }
  });

  t.test('lets production use the embedded database when its folder is named', async (t) => {
    const { DATABASE_URL: _, ...rest } = production;
    t.match(problemOf(rest), /DATABASE_URL/);
    t.equal(problemOf({ ...rest, CONVENE_DATA_DIR: '/var/lib/convene' }), '');
  });

  t.test('wants what belongs together', async (t) => {
    t.match(problemOf({ SMTP_URL: 'smtp://mail' }), /MAIL_FROM/);
    t.match(problemOf({ SMTP_URL: 'smtp://mail', RESEND_API_KEY: 'r', MAIL_FROM: 'a@example.org' }), /RESEND_API_KEY/);
    t.match(problemOf({ TWILIO_ACCOUNT_SID: 'AC1' }), /TWILIO_AUTH_TOKEN.*\n.*TWILIO_FROM/);
    t.match(problemOf({ TWILIO_AUTH_TOKEN: 'x' }), /TWILIO_ACCOUNT_SID/);
    t.match(problemOf({ GOOGLE_CLIENT_ID: 'x' }), /GOOGLE_CLIENT_SECRET/);
    t.match(problemOf({ GITHUB_CLIENT_SECRET: 'x' }), /GITHUB_CLIENT_ID/);
    t.match(problemOf({ ...production, GOOGLE_ISSUER: 'http://127.0.0.1' }), /GOOGLE_ISSUER/);
  });

  t.test('takes addresses to come out at to the letter', async (t) => {
    const uris = 'https://app.example.org/in, org.example.app:/in?kept=1';
    t.same(parseConfig({ OAUTH_REDIRECT_URIS: uris }).signIn.redirectUris, uris.split(', '));
    for (const bad of ['https://app.example.org/#in', '/in', 'javascript:alert(1)'])
      t.match(problemOf({ OAUTH_REDIRECT_URIS: bad }), /OAUTH_REDIRECT_URIS/, bad);
  });

  t.test('is documented, variable by variable', async (t) => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
    const names = Object.keys(Environment.shape);
    t.ok(names.length > 30, `${names.length} variables`);
    for (const name of names) t.ok(page.includes(`\`${name}\``), name);
  });
});
