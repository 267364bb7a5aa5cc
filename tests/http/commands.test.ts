import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import t from 'tap';
import { Abandoned } from '../../src/commands/outcomes.ts';
import { HashingBusy } from '../../src/commands/passwordThreads.ts';
import { OutcomeUnknown, StoreUnavailable } from '../../src/eventstore/port.ts';
import { server } from './support/server.ts';

const boxId = '018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01';
const url = `/api/v1/boxes/${boxId}/label`;

t.test('a command over HTTP', async (t) => {
  const { app, login, executed, answerWith } = await server(t);
  const { authorization, accountId } = login({ permissions: ['write:boxes'] });
  const last = () => {
    const found = executed.at(-1);
    if (found === undefined) throw new Error('Nothing was executed');
    return found;
  };
  const put = (more: object = {}, headers: object = {}) =>
    app.inject({ method: 'PUT', url, headers: { authorization, ...headers }, payload: { label: 'Books' }, ...more });

  t.test('is executed with body and path as its input, the path winning', async (t) => {
    const { statusCode, headers, json } = await put({ payload: { label: 'Books', boxId: randomUUID() } });
    t.equal(statusCode, 201);
    t.same(json(), { success: true, data: { boxId, label: 'Books' } });
    t.equal(headers.etag, '"3"');
    t.equal(headers['consistency-token'], '42');
    t.notOk('idempotency-replayed' in headers);
    const { request, command } = last();
    t.equal(command, 'LabelBox');
    t.match(request, {
      input: { boxId, label: 'Books' },
      actor: { id: accountId, kind: 'user', permissions: ['write:boxes'] },
    });
    t.equal(request.correlationId, headers['x-correlation-id']);
    t.notOk('idempotencyKey' in request);
  });

  t.test('has a second address by its name', async (t) => {
    const payload = { boxId, label: 'Books' };
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/api/v1/commands/LabelBox',
      headers: { authorization },
      payload,
    });
    t.equal(statusCode, 201);
    t.match(executed.at(-1), { command: 'LabelBox', request: { input: payload } });
  });

  t.test('takes the query as input of a DELETE', async (t) => {
    const { statusCode } = await app.inject({
      method: 'DELETE',
      url: `${url}?label=Shoes`,
      headers: { authorization },
    });
    t.equal(statusCode, 201);
    t.match(executed.at(-1)?.request.input, { boxId, label: 'Shoes' });
  });

  t.test('tolerates a slash at the end of its path', async (t) =>
    t.equal((await put({ url: `${url}/` })).statusCode, 201),
  );

  t.test('carries key, version, correlation and trace', async (t) => {
    const correlation = randomUUID();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers } = await put(
      {},
      {
        'idempotency-key': 'abc',
        'if-match': '"7"',
        'x-correlation-id': correlation,
        traceparent,
      },
    );
    t.equal(headers['x-correlation-id'], correlation);
    t.match(executed.at(-1)?.request, { idempotencyKey: 'abc', ifMatch: 7, correlationId: correlation, traceparent });
  });

  t.test('replaces a malformed correlation id', async (t) => {
    const { headers } = await put({}, { 'x-correlation-id': 'x'.repeat(20) });
    t.match(headers['x-correlation-id'], /^[0-9a-f-]{36}$/);
  });

  t.test('says when an answer is a replay', async (t) => {
    answerWith(() => ({
      ok: true,
      stream: 's',
      revision: undefined,
      version: undefined,
      position: 1n,
      data: { a: 1 },
      replayed: true,
    }));
    const { headers } = await put();
    t.equal(headers['idempotency-replayed'], 'true');
    t.notOk('etag' in headers);
  });

  t.test('passes a refusal on', async (t) => {
    answerWith(() => ({
      ok: false,
      code: 'CONFLICT',
      reason: 'slot-taken',
      message: 'Taken',
      details: [{ field: 'label', message: 'Taken' }],
      retryAfter: 3,
    }));
    const { statusCode, headers, json } = await put();
    t.equal(statusCode, 409);
    t.equal(headers['retry-after'], '3');
    t.same(json(), {
      success: false,
      error: {
        code: 'CONFLICT',
        message: 'Taken',
        reason: 'slot-taken',
        details: [{ field: 'label', message: 'Taken' }],
      },
    });
  });

  t.test('answers 503 while the log is lost', async (t) => {
    for (const error of [
      new StoreUnavailable('gone'),
      new OutcomeUnknown('gone'),
      Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
    ]) {
      answerWith(() => Promise.reject(error));
      const { statusCode, headers, json } = await put();
      t.equal(statusCode, 503);
      t.equal(json().error.code, 'SERVICE_UNAVAILABLE');
      t.ok(headers['retry-after']);
    }
  });

  t.test('sends away who comes in a flood of passwords', async (t) => {
    answerWith(() => Promise.reject(new HashingBusy(6.2)));
    const { statusCode, headers, json } = await put();
    t.equal(statusCode, 503);
    t.equal(headers['retry-after'], '7');
    t.match(json().error, { code: 'SERVICE_UNAVAILABLE', reason: 'hashing-busy' });
  });

  t.test('answers 500 without detail when something breaks', async (t) => {
    answerWith(() => Promise.reject(new Error('the inner secret')));
    const { statusCode, body } = await put();
    t.equal(statusCode, 500);
    t.notMatch(body, /inner secret/);
  });

  t.test('is not logged as a defect when its caller went away', async (t) => {
    answerWith(() => Promise.reject(new Abandoned('gone')));
    t.equal((await put()).statusCode, 503);
  });

  t.test('is unknown when it is internal', async (t) => {
    for (const path of [`/api/v1/boxes/${boxId}/seal`, '/api/v1/commands/SealBox'])
      t.equal((await app.inject({ method: 'POST', url: path, headers: { authorization } })).statusCode, 404);
  });

  t.test('ignores the key of a caller without login', async (t) => {
    const headers = { 'idempotency-key': 'k'.repeat(100) };
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/api/v1/boxes/open',
      headers,
      payload: { secret: 'x' },
    });
    t.equal(statusCode, 200);
    t.notOk('idempotencyKey' in (executed.at(-1)?.request ?? {}));
  });
});

t.test('checks come in their order', async (t) => {
  const { app, login, executed } = await server(t);
  const { authorization } = login({ permissions: ['write:boxes'] });
  const right = { authorization };
  const wrong = { authorization: login().authorization };
  const unverified = { authorization: login({ permissions: ['write:boxes'], verified: false }).authorization };
  const json = { 'content-type': 'application/json' };
  const codeOf = async (headers: object, payload: string | object, more: object = {}) => {
    const { statusCode, json } = await app.inject({ method: 'PUT', url, headers: { ...headers }, payload, ...more });
    t.equal(json().success, false);
    return `${statusCode} ${json().error.code}`;
  };
  t.equal(await codeOf(json, '{"label":'), '400 BAD_REQUEST', 'an unreadable body before the login');
  t.equal(await codeOf({ 'content-type': 'text/plain' }, 'label'), '415 UNSUPPORTED_MEDIA_TYPE');
  t.equal(await codeOf(json, `"${'x'.repeat(1_048_576)}"`), '413 PAYLOAD_TOO_LARGE');
  t.equal(await codeOf({}, { label: '' }), '401 UNAUTHORIZED', 'the login before the right');
  t.equal(await codeOf(unverified, { label: '' }), '403 FORBIDDEN');
  t.equal(await codeOf(wrong, { label: '' }), '403 FORBIDDEN', 'the right before the input');
  t.equal(await codeOf(right, { label: '' }), '422 VALIDATION_ERROR');
  t.equal(await codeOf(right, [1]), '422 VALIDATION_ERROR');
  t.equal(await codeOf({ ...right, 'if-match': '3' }, { label: 'a' }), '400 BAD_REQUEST');
  t.equal(await codeOf({ ...right, 'idempotency-key': 'k'.repeat(65) }, { label: 'a' }), '422 VALIDATION_ERROR');
  t.equal(executed.length, 1, 'only input that may be judged reaches the pipeline');
  const { json: body } = await app.inject({ method: 'PUT', url, headers: unverified, payload: {} });
  t.match(body().error.details, [{ field: 'emailVerified' }]);
});

t.test('a body', async (t) => {
  const { app, login, executed } = await server(t);
  const { authorization } = login({ permissions: ['write:boxes'] });
  const send = (payload: string | Buffer, type = 'application/json') =>
    app.inject({ method: 'PUT', url, headers: { authorization, 'content-type': type }, payload });
  const nested = (levels: number) => `{"label":"a","x":${'['.repeat(levels)}${']'.repeat(levels)}}`;

  t.equal((await send('{"label":"a"}', 'application/json; charset=utf-8')).statusCode, 201);
  t.equal((await send('{"label":"a"}', 'application/merge-patch+json')).statusCode, 201);
  t.equal((await send('')).statusCode, 422, 'an empty body is none');
  t.equal((await send(nested(31))).statusCode, 201);
  t.equal((await send(nested(33))).statusCode, 400);
  t.equal((await send(nested(100_000))).statusCode, 400);
  t.equal((await send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).statusCode, 400, 'invalid UTF-8');
  t.equal(
    (await send('{"label":"a","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}')).statusCode,
    201,
  );
  t.notOk('admin' in {});
  t.notMatch(executed.at(-1)?.request.input, { admin: true });
  t.notMatch(executed.at(-1)?.request.input, { constructor: { prototype: { admin: true } } });
  t.equal((await send('null')).statusCode, 422);
  t.equal((await send('"text"')).statusCode, 422);
});

t.test('a caller who hangs up', async (t) => {
  const { app, login, executed, answerWith, lines } = await server(t);
  const { authorization } = login({ permissions: ['write:boxes'] });
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  answerWith(async () => {
    enter();
    await released;
    throw new Abandoned('gone');
  });
  const leaving = new AbortController();
  const request = fetch(`${base}${url}`, {
    method: 'PUT',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ label: 'Books' }),
    signal: leaving.signal,
  });
  await entered;
  const signal = executed.at(-1)?.request.signal;
  t.equal(signal?.aborted, false, 'a read body is no hanging up');
  const gone = once(signal as AbortSignal, 'abort');
  leaving.abort();
  await t.rejects(request);
  await gone;
  t.match(lines().at(-1), { msg: 'request', status: 499 });
  release();
});
