import { z } from 'zod';
import { type Change, differences } from '../../../audit/difference.ts';
import { type Moment, ownEvents, stateAt } from '../../../audit/past.ts';
import { isWellFormed, type StreamType, streamTypeNames, streamTypeOf } from '../../../audit/streamTypes.ts';
import { can } from '../../../domain/decider.ts';
import { instant } from '../../../domain/fields.ts';
import type { Recorded } from '../../../eventstore/event.ts';
import { auditEntries } from '../../../projections/audit/auditEntries.ts';
import { streamOfTarget } from '../../../projections/audit/search.ts';
import { answer, found, listAnswer, offsetOf, ok, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { Problem } from '../../problem.ts';
import { actorOf } from '../../request.ts';
import { HistoryEvent, historyEvent } from './entries.ts';
import { eventsOfStream } from './events.ts';

const wrong = (field: string, message: string): Problem =>
  new Problem('VALIDATION_ERROR', message, { reason: 'input-invalid', details: [{ field, message }] });

/** A history: what kind of thing, which one, and all events of the stream that holds it. */
export type History = { readonly type: StreamType; readonly id: string; readonly events: readonly Recorded[] };

/** Finds a history. Throws 422 for an id that is none, 404 when there is no such thing. */
export const historyOf = async (deps: Deps, streamType: string, id: string): Promise<History> => {
  const type = streamTypeOf(streamType);
  if (type === undefined) throw wrong('streamType', 'No such kind of stream');
  if (!isWellFormed(type, id)) throw wrong('streamId', `Not the id of a ${type.name}`);
  const { entity, decider } = type;
  const stream =
    entity === undefined
      ? `${decider.category}-${id}`
      : (entity.streamOf?.(id) ?? (await streamOfTarget(deps.db, entity.name, id)));
  const events = stream === undefined ? [] : await eventsOfStream(deps, stream);
  found(ownEvents(type, id, events)[0], type.name);
  return { type, id, events };
};

const Params = z.object({
  streamType: z.enum(streamTypeNames).describe('A kind of stream, or of a thing inside one (appointment, story)'),
  streamId: z.string().max(200),
});

const number = z
  .string()
  .regex(/^\d{1,9}$/, 'Must be a whole number from 0')
  .transform(Number)
  .meta({ parameter: { type: 'integer', minimum: 0 } });

const ChangeShape = z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() });
const StateQuery = z.object({
  version: number.optional().describe('The state right after this event of the history'),
  asOf: instant.optional().describe('The state at this instant, inclusive'),
  compareTo: number.optional().describe('Adds what is different from this version'),
});
const StateAnswer = answer(
  z.object({
    state: z.unknown(),
    version: z.int(),
    at: z.string().describe('When the last event so far was stored'),
    changes: z.array(ChangeShape).optional(),
  }),
  {
    state: { status: 'SCHEDULED', startTime: '2027-03-01T09:30:00.000Z' },
    version: 1,
    at: '2027-02-20T10:00:00.000Z',
    changes: [{ path: 'startTime', before: '2027-03-01T09:00:00.000Z', after: '2027-03-01T09:30:00.000Z' }],
  },
);

const config = { access: 'replay:events', reads: [auditEntries] } as const;
const tags = ['audit'];

/** Histories of streams and of the things inside them, and their states in the past. */
export const streamRoutes = (app: App, deps: Deps): void => {
  app.get(
    '/audit/streams/:streamType/:streamId/events',
    {
      config,
      schema: {
        tags,
        summary: 'The history of a stream, or of a thing inside one',
        params: Params,
        querystring: z.object({ ...page({ limit: 10, max: 100 }), fromVersion: number.optional() }),
        response: { 200: listAnswer('events', HistoryEvent) },
      },
    },
    async (request) => {
      const { params, query } = request;
      const personal = can(actorOf(request), 'read:audit-pii');
      const { type, id, events } = await historyOf(deps, params.streamType, params.streamId);
      const history = ownEvents(type, id, events).map((event, version) => ({ event, version }));
      const wanted = history.slice(query.fromVersion ?? 0);
      const shown = wanted
        .slice(offsetOf(query), offsetOf(query) + query.limit)
        .map(({ event, version }) => historyEvent(event, version, personal));
      return paginated('events', shown, wanted.length, query);
    },
  );

  app.get(
    '/audit/streams/:streamType/:streamId/state',
    {
      config,
      schema: {
        tags,
        summary: 'The state at a version or instant, and the difference from another version',
        params: Params,
        querystring: StateQuery,
        response: { 200: StateAnswer },
      },
    },
    async (request) => {
      const { version, asOf, compareTo } = request.query;
      if (version !== undefined && asOf !== undefined) throw wrong('asOf', 'Not together with version');
      const personal = can(actorOf(request), 'read:audit-pii');
      const { type, id, events } = await historyOf(deps, request.params.streamType, request.params.streamId);
      const at = (moment: Moment, what: string) => found(stateAt(type, id, events, moment, personal), what);
      const then = at({ version, asOf }, 'state');
      const changes: Change[] | undefined =
        compareTo === undefined ? undefined : [...differences(at({ version: compareTo }, 'version').state, then.state)];
      return ok({ ...then, ...(changes === undefined ? {} : { changes }) });
    },
  );
};
