import { bindingOf } from './commands/bindings.ts';
import { emailHash } from './commands/identity/index.ts';
import type { Commands } from './commands/pipeline.ts';
import type { Config } from './config.ts';
import { ADMINISTRATORS_ID, administrators, bootstrapAdministrator } from './domain/access/administrators.ts';
import { seedSystemRoles } from './domain/access/roleCatalog/index.ts';
import { ADMIN_ROLE_ID } from './domain/access/systemRoles.ts';
import { assignRole } from './domain/access/userAccess.ts';
import type { Actor } from './domain/decider.ts';
import { account, registerAdministrator } from './domain/identity/account/index.ts';
import { emailClaim } from './domain/identity/emailClaim.ts';
import type { Secrets } from './secrets.ts';
import { uuid5, uuid7 } from './uuid.ts';

/** Namespace of the id of the first administrator's account. */
const ADMINISTRATOR = 'f9625d0b-287e-504f-b39d-dd5d9cff72e0';
/** Several nodes that start on an empty log may get in each other's way this often. */
const TRIES = 5;

const bootstrapper: Actor = { id: 'service:bootstrap', kind: 'system', permissions: ['*:*'], verified: true };

/**
 * What the service needs before anybody can use it: its system roles and, while no account holds the role admin, the
 * first administrator under the configured address. An account of somebody else's making is appointed only if its
 * address is verified. Changes nothing when all is there; several nodes may run it at once.
 */
export const bootstrap = async ({
  commands,
  config,
  secrets,
}: {
  readonly commands: Commands;
  readonly config: Pick<Config, 'adminEmail'>;
  readonly secrets: Pick<Secrets, 'adminPassword'>;
}): Promise<void> => {
  const { reads } = commands;
  const correlationId = uuid7();

  const run = async (command: { readonly name: string }, input: unknown) => {
    for (let tries = 1; ; tries++) {
      const outcome = await commands.execute(bindingOf(command), { input, actor: bootstrapper, correlationId });
      if (outcome.ok || outcome.reason !== 'contended' || tries === TRIES) return outcome;
    }
  };
  const must = async (...of: Parameters<typeof run>): Promise<void> => {
    const outcome = await run(...of);
    if (!outcome.ok) throw new Error(`${of[0].name} at the start: ${outcome.message}`);
  };

  await must(seedSystemRoles, {});
  const { members } = (await reads.load(administrators, ADMINISTRATORS_ID)).state;
  if (Object.keys(members).length > 0) return;

  const { adminEmail } = config;
  const addressHash = emailHash(reads.hash, adminEmail);
  const accountId = uuid5(addressHash, ADMINISTRATOR);
  const input = { accountId, email: adminEmail, password: secrets.adminPassword };
  const registered = await run(registerAdministrator, input);
  if (!registered.ok && registered.reason !== 'email-taken')
    throw new Error(`The first administrator cannot be registered: ${registered.message}`);

  const owner = registered.ok ? accountId : (await reads.load(emailClaim, addressHash)).state.owner;
  if (owner === undefined) return;
  const { status, emailVerified } = (await reads.load(account, owner)).state;
  if (status !== 'active' || !emailVerified) return;
  await must(bootstrapAdministrator, { accountId: owner });
  await must(assignRole, { accountId: owner, roleId: ADMIN_ROLE_ID, reason: 'First administrator' });
};
