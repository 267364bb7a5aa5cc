import type { FastifyRequest } from 'fastify';
import { bindingOf } from '../../../commands/bindings.ts';
import { PreferencesView } from '../../../commands/identity/profile.ts';
import { replaceProfile } from '../../../domain/identity/account/index.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { runCommand } from '../../commandRoutes.ts';
import { versioned } from '../../etag.ts';
import { callerOf } from '../../request.ts';
import { accountRow, PROFILE_SOURCES, ProfileView, preferencesIn, profileView } from './profileView.ts';

const own = { access: 'loggedIn', unverified: true, apiKey: 'read:own-profile' } as const;

/** The own profile and preferences. */
export const profileRoutes = (app: App, deps: Deps): void => {
  const profileOf = (request: FastifyRequest) => {
    const { accountId, actor, rights } = callerOf(request);
    return profileView(deps, accountId, { roles: rights.roles, permissions: actor.permissions });
  };

  for (const path of ['/users/me', '/auth/me'])
    app.get(
      path,
      {
        config: { ...own, reads: PROFILE_SOURCES },
        schema: { summary: 'The own profile', response: { 200: answer(ProfileView) } },
      },
      async (request, reply) => {
        const profile = await profileOf(request);
        return versioned(reply, profile, profile.version);
      },
    );

  app.put(
    '/users/me',
    {
      config: { ...own, apiKey: 'write:own-profile', runsCommand: true },
      schema: {
        summary: 'Replaces the own profile: what is not given is as it was on the first day',
        body: replaceProfile.input.omit({ accountId: true }),
        response: { 200: answer(ProfileView) },
      },
    },
    async (request, reply) => {
      const input = request.body;
      const { position } = await runCommand(app, deps, bindingOf(replaceProfile), { request, reply, input });
      await deps.caughtUp(PROFILE_SOURCES, position);
      return ok(await profileOf(request));
    },
  );

  app.get(
    '/users/me/preferences',
    {
      config: { ...own, reads: [accounts] },
      schema: { summary: 'The own preferences', response: { 200: answer(PreferencesView) } },
    },
    async (request) => ok(preferencesIn(await accountRow(deps, callerOf(request).accountId))),
  );
};
