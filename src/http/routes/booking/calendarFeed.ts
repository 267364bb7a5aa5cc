import { createHash } from 'node:crypto';
import { z } from 'zod';
import { feedOwner } from '../../../commands/booking/feeds.ts';
import { publicUrlOf } from '../../../config.ts';
import { calendarFeed, openCalendarFeed } from '../../../domain/booking/calendarFeed.ts';
import { DAY_MS } from '../../../domain/durations.ts';
import { iCalendar } from '../../../integrations/iCalendar.ts';
import { calendarOf } from '../../../projections/booking/calendarFeed.ts';
import { answer, found, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import type { Presenter } from '../../commandRoutes.ts';
import { isUnchanged, unchangedSince } from '../../etag.ts';
import { accountOf } from '../../request.ts';
import { CALENDAR_TYPE, calendarAnswer, entryOf } from './calendarFile.ts';

/** Days back that a feed shows. */
const PAST_DAYS = 90;
/** How often calendars are asked to come back. */
const REFRESH_SECONDS = 3_600;

/** Makes the whole address of the secret, which a command cannot know. */
export const feedPresenters: Readonly<Record<string, Presenter>> = {
  [openCalendarFeed.name]: async (deps, { outcome }) => {
    const { url, ...rest } = outcome.data as { readonly url?: string; readonly since: string };
    if (url === undefined) return rest;
    return { ...rest, url: `${publicUrlOf(deps.config)}/api/v1/calendar/feeds/${url}.ics` };
  },
};

/** The own appointments at an address that calendars come back to. */
export const calendarFeedRoutes = (app: App, deps: Deps): void => {
  const { db, rights, commands } = deps;

  app.get(
    '/calendar/feed',
    {
      config: { access: 'loggedIn' },
      schema: {
        summary: 'Whether your appointments can be subscribed to, and since when',
        response: { 200: answer(z.object({ open: z.boolean(), since: z.string().nullable() })) },
      },
    },
    async (request) => {
      const { state } = await commands.reads.load(calendarFeed, accountOf(request));
      return ok({ open: state.open !== undefined, since: state.open?.since ?? null });
    },
  );

  app.get(
    '/calendar/feeds/:file',
    {
      // Calendars of many people come from the same few addresses, so a known feed counts to its account.
      config: { access: 'anyone', unlimited: true, refuses: [404] },
      schema: {
        summary: 'The appointments of whoever made this address, from 90 days ago on, for calendars to subscribe to',
        params: z.object({ file: z.string().max(200).describe('The secret and `.ics`') }),
        response: { 200: calendarAnswer, ...unchangedSince },
      },
    },
    async (request, reply) => {
      const [, value = ''] = /^([^.]+)\.ics$/.exec(request.params.file) ?? [];
      const accountId = await feedOwner(commands.reads, value);
      const of = accountId === undefined ? undefined : await rights.of(accountId);
      app.rateLimits.countFor(request, reply, accountId && of ? { id: accountId, rights: of } : undefined);
      const owner = found(of && accountId, 'calendar');

      const from = new Date(commands.reads.now().getTime() - PAST_DAYS * DAY_MS).toISOString();
      const { asClient, asProvider } = await calendarOf(db, owner, from);
      const publicUrl = publicUrlOf(deps.config);
      const entries = [
        ...asClient.map((row) => entryOf(row, 'client', publicUrl)),
        ...asProvider.map((row) => entryOf(row, 'provider', publicUrl)),
      ];
      const content = iCalendar(entries, { method: 'PUBLISH', name: 'Convene', refreshSeconds: REFRESH_SECONDS });
      const etag = `"${createHash('sha256').update(content).digest('base64url')}"`;
      reply.header('etag', etag);
      if (isUnchanged(request, etag)) return reply.code(304).send();
      return reply.type(CALENDAR_TYPE).send(content);
    },
  );
};
