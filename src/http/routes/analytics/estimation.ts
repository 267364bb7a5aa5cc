import { z } from 'zod';
import { type Actor, can } from '../../../domain/decider.ts';
import { timeZone, uuid } from '../../../domain/fields.ts';
import { estimationFigures, figuresBySession } from '../../../projections/analytics/estimationFigures.ts';
import { storyFigures } from '../../../projections/analytics/storyFigures.ts';
import { sessionMembers } from '../../../projections/estimation/sessionMembers.ts';
import { estimationSessions } from '../../../projections/estimation/sessions.ts';
import { answer, found, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { demandOneOf } from '../../auth.ts';
import { Problem } from '../../problem.ts';
import { actorOf } from '../../request.ts';
import { rate, windowOf, windowQuery } from './window.ts';

const count = z.int().min(0);
const Figures = z.object({
  from: z.string(),
  to: z.string(),
  timezone: z.string(),
  asOf: z.string(),
  totals: z.object({
    sessions: count.describe('With a reveal in the window'),
    participants: count,
    stories: count.describe('With a reveal in the window'),
    storiesEstimated: count,
    rounds: count.describe('Revealed ones'),
    votes: count,
    roundsPerStory: z.number(),
    firstRoundConsensusRate: z.number().describe('Stories that agreed in round 1, as a fraction'),
    meanSpread: z.number().describe('Highest minus lowest numeric card of the last revealed round'),
    meanMinutesPerStory: z.number().describe('From the first opening to the last acceptance'),
    points: z.number().describe('Sum of the numeric estimates'),
    otherEstimates: count.describe('Estimates that are no numbers'),
  }),
  sessions: z
    .array(
      z.object({
        sessionId: z.string(),
        stories: count,
        rounds: count,
        votes: count,
        points: z.number(),
        otherEstimates: count,
      }),
    )
    .describe('The latest first, at most 100'),
});

const SESSIONS = 100;
const decimals = (value: number): number => Math.round(value * 100) / 100;

/** GET /analytics/estimation: how sessions estimate, from revealed rounds alone. */
export const estimationAnalyticsRoutes = (app: App, { db, commands: { reads } }: Deps): void => {
  /** Throws 404 for a session that the caller cannot see, 403 for one that he neither created nor led last. */
  const admitTo = async (sessionId: string, actor: Actor, sees: 'all' | 'own'): Promise<void> => {
    const row = await db
      .selectFrom('estimation_sessions')
      .select(['created_by', 'state'])
      .where('session_id', '=', sessionId)
      .executeTakeFirst();
    const session = found(row, 'session');
    if (sees === 'all') return;
    const { membership } = session.state.participants[actor.id] ?? {};
    if (membership === undefined || membership === 'removed') found(undefined, 'session');
    if (session.created_by !== actor.id && session.state.facilitatorId !== actor.id)
      throw new Problem('FORBIDDEN', 'Its facilitator alone may read its figures', { reason: 'not-facilitator' });
  };

  app.get(
    '/analytics/estimation',
    {
      config: { access: 'loggedIn', reads: [storyFigures, estimationSessions, sessionMembers], refuses: [404] },
      preValidation: demandOneOf('read:own-analytics', 'read:all-analytics'),
      schema: {
        tags: ['analytics'],
        summary: 'Figures of estimation: own sessions for facilitators, all with read:all-analytics',
        querystring: z.object({ ...windowQuery, sessionId: uuid.optional(), timezone: timeZone.default('UTC') }),
        response: { 200: answer(Figures) },
      },
    },
    async (request) => {
      const { query } = request;
      const actor = actorOf(request);
      const sees = can(actor, 'read:all-analytics') ? 'all' : 'own';
      const now = reads.now();
      const { from, to, zone } = windowOf(query, query.timezone, now);
      if (query.sessionId !== undefined) await admitTo(query.sessionId, actor, sees);
      const span = { from, to, sessionId: query.sessionId, leaderId: sees === 'all' ? undefined : actor.id };
      const [figures, sessions] = await Promise.all([
        estimationFigures(db, span),
        figuresBySession(db, span, SESSIONS),
      ]);
      return ok({
        from,
        to,
        timezone: zone,
        asOf: now.toISOString(),
        totals: {
          sessions: figures.sessions,
          participants: figures.participants,
          stories: figures.stories,
          storiesEstimated: figures.estimated,
          rounds: figures.rounds,
          votes: figures.votes,
          roundsPerStory: decimals(figures.stories === 0 ? 0 : figures.rounds / figures.stories),
          firstRoundConsensusRate: rate(figures.firstRoundConsensus, figures.stories),
          meanSpread: decimals(figures.spread),
          meanMinutesPerStory: decimals(figures.minutes),
          points: figures.points,
          otherEstimates: figures.otherEstimates,
        },
        sessions,
      });
    },
  );
};
