import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { LoggedIn } from '../../../commands/identity/login/session.ts';
import { confirmMfaSetup } from '../../../domain/identity/account/index.ts';
import { verifyMfaChallenge } from '../../../domain/identity/mfaChallenge.ts';
import { secondFactorOf, secondFactors } from '../../../projections/identity/secondFactors.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { runCommand } from '../../commandRoutes.ts';
import { Problem } from '../../problem.ts';
import { accountOf, callerOf } from '../../request.ts';
import { handOver } from './login.ts';

const Answer = z.object({
  challengeToken: z.string().optional(),
  code: z.string().optional(),
  backupCode: z.string().optional(),
  trustDevice: z.boolean().optional(),
  secret: z.string().optional(),
});

const Device = z.object({
  deviceId: z.string(),
  deviceInfo: z.string(),
  lastAccess: z.string(),
  expiresAt: z.string(),
});

const BackupCodes = z.object({ total: z.int(), remaining: z.int(), generatedAt: z.string() });

/** The second factor: answering challenges, and what is known of backup codes and trusted devices. */
export const mfaRoutes = (app: App, deps: Deps): void => {
  const { db } = deps;

  app.post(
    '/mfa/verify',
    {
      config: { access: 'anyone', unverified: true, credential: verifyMfaChallenge.name, runsCommand: true },
      schema: {
        summary: 'Gives the code of a log-in that asks for it, or confirms a second factor that was offered',
        body: Answer.meta({ examples: [{ challengeToken: 'from the log-in', code: '123456' }] }),
        response: { 200: answer(z.union([LoggedIn, z.object({ mfaEnabled: z.boolean() })])) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      if (body.challengeToken === undefined) {
        callerOf(request);
        const { code, secret } = body;
        const outcome = await runCommand(app, deps, bindingOf(confirmMfaSetup), {
          request,
          reply,
          input: { code, secret },
        });
        return ok(outcome.data as { mfaEnabled: boolean });
      }
      const { secret: _none, ...input } = body;
      const outcome = await runCommand(app, deps, bindingOf(verifyMfaChallenge), { request, reply, input });
      return ok(await handOver(deps, { app, input, outcome, request, reply }));
    },
  );

  app.get(
    '/mfa/backup-codes',
    {
      config: { access: 'loggedIn', unverified: true, reads: [secondFactors], refuses: [409] },
      schema: { summary: 'How many backup codes are left; never the codes', response: { 200: answer(BackupCodes) } },
    },
    async (request) => {
      const row = await secondFactorOf(db, accountOf(request));
      if (row === undefined || !row.enabled || row.codes_generated_at === null)
        throw new Problem('CONFLICT', 'No second factor is on', { reason: 'mfa-off' });
      return ok({ total: row.codes_total, remaining: row.codes_remaining, generatedAt: row.codes_generated_at });
    },
  );

  app.get(
    '/users/me/devices',
    {
      config: { access: 'loggedIn', unverified: true, reads: [secondFactors] },
      schema: {
        summary: 'Devices on which the second factor is not asked for',
        response: { 200: answer(z.object({ items: z.array(Device) })) },
      },
    },
    async (request) => {
      const now = deps.commands.reads.now().toISOString();
      const devices = (await secondFactorOf(db, accountOf(request)))?.devices ?? [];
      return ok({ items: devices.filter(({ expiresAt }) => expiresAt > now) });
    },
  );
};
