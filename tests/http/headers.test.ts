import t from 'tap';
import { z } from 'zod';
import { ok } from '../../src/http/answers.ts';
import { server } from './support/server.ts';

const routes: NonNullable<Parameters<typeof server>[1]>['routes'] = (app) => {
  const big = { config: { access: 'anyone' } } as const;
  app.get('/big', big, async () => ok('x'.repeat(2_000)));
  app.get('/small', big, async () => ok('x'.repeat(200)));
  app.get('/auth/big', big, async () => ok('x'.repeat(2_000)));
  app.get('/broken', { ...big, schema: { querystring: z.object({ n: z.string().optional() }) } }, async () => {
    throw new Error('broken');
  });
};

const secure = {
  'content-security-policy': "default-src 'self'",
  'x-frame-options': 'SAMEORIGIN',
  'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=31536000',
  'x-xss-protection': '1; mode=block',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'cache-control': 'no-store',
};

t.test('security headers stand on every answer', async (t) => {
  const { app } = await server(t, { routes });
  for (const url of [
    '/api/v1/small',
    '/health',
    '/metrics',
    '/nothing',
    '/api/v1/mine',
    '/api/v1/broken',
    '/%zz',
    '/docs/openapi.json',
  ]) {
    const { headers, statusCode } = await app.inject(url);
    t.match(headers, secure, `${url} (${statusCode})`);
    t.notOk('x-powered-by' in headers);
    t.match(headers['x-correlation-id'], /^[0-9a-f-]{36}$/, url);
  }
  const docs = await app.inject('/docs');
  t.match(docs.headers['content-security-policy'], /^default-src 'self'; img-src 'self' data:; style-src/);
});

t.test('compression', async (t) => {
  const { app } = await server(t, { routes });
  const encodingOf = async (url: string) =>
    (await app.inject({ url, headers: { 'accept-encoding': 'gzip, br' } })).headers['content-encoding'];
  t.equal(await encodingOf('/api/v1/big'), 'gzip');
  t.equal(await encodingOf('/api/v1/small'), undefined);
  t.equal(await encodingOf('/api/v1/auth/big'), undefined);
});

t.test('CORS', async (t) => {
  const development = await server(t, { environment: { CORS_ORIGINS: 'https://app.example.org' } });
  const production = await server(t, {
    environment: {
      NODE_ENV: 'production',
      CORS_ORIGINS: 'https://app.example.org',
      JWT_SECRET: 's'.repeat(32),
      CONVENE_MASTER_KEY: 'm'.repeat(32),
      CONVENE_ADMIN_EMAIL: 'admin@example.org',
      CONVENE_ADMIN_PASSWORD: 'Str0ng!password',
      DATABASE_URL: 'postgres://localhost/none',
    },
  });
  const preflight = async ({ app }: typeof production, origin: string) => {
    const headers = { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'If-Match' };
    return (await app.inject({ method: 'OPTIONS', url: '/api/v1/boxes/open', headers })).headers;
  };
  for (const [of, origin, allowed] of [
    [development, 'https://app.example.org', true],
    [development, 'http://localhost:5173', true],
    [development, 'http://127.0.0.1:8080', true],
    [development, 'https://evil.example', false],
    [development, 'http://localhost.evil.example', false],
    [production, 'https://app.example.org', true],
    [production, 'http://localhost:5173', false],
    [production, 'https://evil.example', false],
  ] as const)
    t.equal((await preflight(of, origin))['access-control-allow-origin'], allowed ? origin : undefined, origin);
  const headers = await preflight(production, 'https://app.example.org');
  t.equal(headers['access-control-allow-credentials'], 'true');
  t.match(headers['access-control-allow-headers'], /If-Match, If-None-Match, Idempotency-Key/);
  t.notOk('x-ratelimit-limit' in headers, 'a preflight is not counted');
  const answer = await production.app.inject({ url: '/health', headers: { origin: 'https://app.example.org' } });
  t.match(
    answer.headers['access-control-expose-headers'],
    /ETag, Consistency-Token, Idempotency-Replayed, Retry-After/,
  );
  t.match(answer.headers.vary, /Origin/);
});

t.test('plain http behind a proxy is sent to https in production', async (t) => {
  const { app } = await server(t, {
    environment: {
      NODE_ENV: 'production',
      TRUST_PROXY: '1',
      PUBLIC_URL: 'https://convene.example.org',
      JWT_SECRET: 's'.repeat(32),
      CONVENE_MASTER_KEY: 'm'.repeat(32),
      CONVENE_ADMIN_EMAIL: 'admin@example.org',
      CONVENE_ADMIN_PASSWORD: 'Str0ng!password',
      DATABASE_URL: 'postgres://localhost/none',
    },
  });
  const get = (url: string, proto: string) => app.inject({ url, headers: { 'x-forwarded-proto': proto } });
  const { statusCode, headers } = await get('/docs/?a=1', 'http');
  t.equal(statusCode, 308);
  t.equal(headers.location, 'https://convene.example.org/docs/?a=1');
  t.equal((await get('/docs', 'https')).statusCode, 200);
  t.equal((await get('/health', 'http')).statusCode, 200);
});
