import { join } from 'node:path';
import pg from 'pg';
import { type Bench, type Context, type Findings, ratio } from './bench.ts';
import { latencies } from './rounds.ts';
import { type Connection, openConnection, requestText } from './service/connection.ts';
import { runService, settled } from './service/process.ts';
import { tokenOf } from './service/secrets.ts';
import { loggedIn, providerWith, seed } from './service/seed.ts';

const APPOINTMENTS = 1_000_000;
const PROVIDERS = 500;
const CLIENTS = 50_000;
/** Every tenth appointment is with one provider, every hundredth of one client: their last pages lie deep. */
const EVERY_OF_PROVIDER = 10;
const EVERY_OF_CLIENT = 100;
const LIMIT = 50;
const REQUESTS = 40;

/**
 * A read model of this size, as the folds would have left it. By SQL, because queries are what is measured: the same
 * rows by commands would take hours.
 */
const fill = async (
  databaseUrl: string,
  count: number,
  busy: { readonly client: string; readonly provider: string },
) => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('set search_path = read');
    // Everybody else is as the one who was seeded, under another name.
    await client.query(
      `insert into provider_profiles select copy.* from generate_series(1, $2) n, provider_profiles original,
         jsonb_populate_record(original, jsonb_build_object('provider_id', gen_random_uuid(), 'display_name', 'Provider ' || n)) copy
       where original.provider_id = $1`,
      [busy.provider, PROVIDERS - 1],
    );
    await client.query(
      `insert into accounts select copy.* from generate_series(1, $2) n, accounts original,
         jsonb_populate_record(original, jsonb_build_object('account_id', gen_random_uuid(), 'display_name', 'Client ' || n,
           'email', 'client' || n || '@example.org')) copy
       where original.account_id = $1`,
      [busy.client, CLIENTS - 1],
    );
    // As a rebuild does: the table first, its indexes when it is full.
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(
      `select indexname as name, indexdef as definition from pg_indexes
       where schemaname = 'read' and tablename = 'appointments' and indexname not in
         (select conname from pg_constraint where conrelid = 'appointments'::regclass)`,
    );
    for (const { name } of indexes) await client.query(`drop index ${name}`);
    // A third lies ahead; of the rest most took place. Ids are what the service makes of provider, day and a UUID.
    await client.query(
      `with providers as (select array_agg(provider_id) as ids from provider_profiles),
         clients as (select array_agg(account_id) as ids from accounts),
         drawn as (
           select n,
             case when n % ${EVERY_OF_PROVIDER} = 0 then $2::uuid
               else providers.ids[1 + floor(random() * cardinality(providers.ids))] end as provider_id,
             case when n % ${EVERY_OF_CLIENT} = 1 then $3::uuid
               else clients.ids[1 + floor(random() * cardinality(clients.ids))] end as client_id,
             date_trunc('day', now()) + (floor(random() * 48 * 1095) - 48 * 730) * interval '30 minutes' as start_time,
             random() as fate
           from generate_series(1, $1) n, providers, clients
         ),
         named as (
           select drawn.*, '02' || replace(provider_id::text, '-', '') ||
             lpad(to_hex((extract(epoch from start_time) / 86400)::integer), 6, '0') as route from drawn
         )
       insert into appointments (appointment_id, provider_id, client_id, slot_id, start_time, end_time, status, notes,
         timezone, booked_by, outcome, cancelled_by, cancel_reason, version, history, created_at, updated_at)
       select translate(encode(decode(route || replace(gen_random_uuid()::text, '-', ''), 'hex'), 'base64'), '+/', '-_'),
         provider_id, client_id,
         translate(encode(decode('01' || substr(route, 3) || lpad(to_hex(n), 8, '0'), 'hex'), 'base64'), '+/', '-_'),
         start_time, start_time + interval '30 minutes',
         case when fate < 0.1 then 'CANCELLED' when start_time < now() then 'COMPLETED' else 'SCHEDULED' end,
         case when fate > 0.7 then 'First visit' end, null, 'client',
         case when fate >= 0.1 and start_time < now() then 'attended' end,
         case when fate < 0.1 then 'client' end, null, 0,
         jsonb_build_array(jsonb_build_object('version', 0, 'event', 'AppointmentBooked', 'at', start_time, 'by', 'client')),
         start_time - interval '14 days', start_time - interval '14 days'
       from named`,
      [count, busy.provider, busy.client],
    );
    for (const { definition } of indexes) await client.query(definition);
    // As the server does by itself after a while; in vain while something else still looks at an older state.
    for (let seen = false; !seen; ) {
      await client.query('vacuum analyze appointments, accounts, provider_profiles');
      const { rows } = await client.query(
        `select from pg_class where relname = 'appointments' and relallvisible = relpages`,
      );
      seen = rows.length > 0;
    }
  } finally {
    await client.end();
  }
};

type Question = { readonly name: string; readonly request: () => string };

/** Asks all questions in turn, so often, and gives the latencies of each. Throws on anything but an answer. */
const asked = async (connection: Connection, questions: readonly Question[], times: number) => {
  const taken = new Map<string, number[]>(questions.map(({ name }) => [name, []]));
  for (let time = -Math.ceil(times / 10); time < times; time++)
    for (const { name, request } of questions) {
      const text = request();
      const since = performance.now();
      const { status, body } = await connection.send(text);
      const ms = performance.now() - since;
      if (status !== 200) throw new Error(`${name}: ${status} ${body()}`);
      if (time >= 0) taken.get(name)?.push(ms);
    }
  return taken;
};

type Listed = {
  readonly data: {
    readonly appointments: readonly { readonly id: string }[];
    readonly pagination: { readonly pages: number; readonly total: number };
  };
};

/** First and last pages of several lists, and single appointments, so often each. */
const leafed = async (url: string, tokens: Record<'client' | 'provider', string>, times: number): Promise<Findings> => {
  const connection = await openConnection(url);
  const lists = { client: '/api/v1/appointments', provider: '/api/v1/provider/appointments' } as const;
  const get = (who: 'client' | 'provider', path: string): string => requestText('GET', path, { token: tokens[who] });
  const listed = async (who: 'client' | 'provider', query: string): Promise<Listed['data']> => {
    const { status, body } = await connection.send(get(who, `${lists[who]}?limit=${LIMIT}${query}`));
    if (status !== 200) throw new Error(`${status} ${body()}`);
    return (JSON.parse(body()) as Listed).data;
  };
  const questions: Question[] = [];
  const sizes: { readonly who: string; readonly metric: string; readonly value: number; readonly unit: string }[] = [];
  for (const who of ['client', 'provider'] as const)
    for (const [what, query] of [
      ['all', ''],
      ['completed', '&status=COMPLETED'],
      ['by creation', '&sort=createdAt'],
    ] as const) {
      const { pages, total } = (await listed(who, query)).pagination;
      sizes.push({ who, metric: `list of ${what}`, value: total, unit: 'appointments' });
      for (const [place, page] of [
        ['first', 1],
        ['last', pages],
      ] as const) {
        const request = get(who, `${lists[who]}?limit=${LIMIT}&page=${page}${query}`);
        questions.push({ name: `${who}, ${what}, ${place} page`, request: () => request });
      }
    }
  const pages = (await listed('client', '')).pagination.pages;
  const some = (await listed('client', `&page=${Math.ceil(pages / 2)}`)).appointments;
  let shown = 0;
  const detail = (): string => get('client', `${lists.client}/${some[shown++ % some.length]?.id}`);
  questions.push({ name: 'one appointment', request: detail });

  const taken = await asked(connection, questions, times);
  connection.close();

  const figures = new Map([...taken].map(([name, values]) => [name, latencies(values)]));
  const between = (list: string): number =>
    ratio(figures.get(`${list}, last page`)?.p50 ?? Number.NaN, figures.get(`${list}, first page`)?.p50 ?? Number.NaN);
  const ratios = Object.fromEntries(
    sizes.map(({ who, metric }) => {
      const what = metric.replace('list of ', '');
      return [`last_vs_first_${who}_${what.replace(' ', '_')}`, between(`${who}, ${what}`)];
    }),
  );
  const worst = Math.max(...Object.values(ratios));
  return {
    rows: [
      ...sizes,
      ...[...figures].flatMap(([metric, { p50, p99 }]) => [
        { who: 'convene', metric: `${metric}, p50`, value: p50, unit: 'ms' },
        { who: 'convene', metric: `${metric}, p99`, value: p99, unit: 'ms' },
      ]),
    ],
    ratios: { ...ratios, last_vs_first: worst },
    goals: [{ name: 'last_vs_first', value: worst, atMost: 1.5 }],
  };
};

const measure = async ({ rounds, sized, database, folder, says }: Context): Promise<Findings> => {
  const { connectionString, drop } = await database();
  const people: { client: string; provider: string; tokens: Record<'client' | 'provider', string> }[] = [];
  await seed(connectionString, async (append) => {
    const client = await loggedIn(append, 'free', 0);
    const { login: provider } = await providerWith(append, 0, 0);
    const tokens = { client: tokenOf(client), provider: tokenOf(provider) };
    people.push({ client: client.accountId, provider: provider.accountId, tokens });
  });
  const [busy] = people;
  if (busy === undefined) throw new Error('Nobody was seeded');
  const service = await runService(connectionString, join(folder, 'query'));
  try {
    await settled(connectionString);
    await fill(connectionString, sized(APPOINTMENTS), busy);
    says(`${sized(APPOINTMENTS)} appointments`);
    return await leafed(service.url, busy.tokens, sized(REQUESTS) * rounds);
  } finally {
    await service.stop();
    await drop();
  }
};

/** Lists and single appointments over HTTP, out of a million. */
export const query: Bench = { name: 'query', title: 'Queries over HTTP with 1,000,000 appointments', run: measure };
