import type { Consent } from './identityTour.ts';
import type { Query, Run } from './tour.ts';
import { type Call, until } from './world.ts';

const REDIRECT_URI = 'https://app.example.org/integrations';

/** Connects a calendar by one of two ways to come back, refreshes it, has an appointment brought there again, and gives it up. */
export const calendar = async (
  { run, query, call, consent }: { run: Run; query: Query; call: Call; consent: Consent },
  name: string,
  appointmentId: string,
  turn: number,
): Promise<void> => {
  const connect = async (capabilities: readonly string[]): Promise<string> => {
    const { authorizationUrl } = await run(name, 'InitiateIntegration', {
      provider: 'google',
      capabilities,
      redirectUri: REDIRECT_URI,
    });
    const { searchParams } = await consent(String(authorizationUrl));
    const given = Object.fromEntries(searchParams);
    // Whoever began is logged in, which proves as much as the cookie does.
    if (turn % 2 === 0) await run(name, 'CompleteIntegration', given);
    else await call(name, 'GET', `/oauth/callback?${searchParams}`);
    const { integrations } = await query(name, 'getOauthIntegrations', { status: 'active' });
    return (integrations as readonly { readonly id: string }[]).at(-1)?.id ?? '';
  };
  const integrationId = await connect(['calendar']);
  await run(name, 'RefreshIntegration', { integrationId });
  await query(name, 'getCalendarStatus');
  await query(name, 'getOauthStatus');
  await query(name, 'getOauthProviders');
  await run(name, 'RetryCalendarSync', { appointmentId });
  await run(name, 'DisconnectCalendar', { removeEvents: turn % 2 === 0 });
  await until('the end of the connection', async () => {
    const { data } = await call(name, 'GET', '/calendar/status');
    return data.connected === false;
  });
  await run(name, 'RevokeIntegration', { integrationId: await connect(['contacts']) });
};
