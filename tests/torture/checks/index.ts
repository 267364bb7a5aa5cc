import { ADMIN_ROLE_ID } from '../../../src/domain/access/systemRoles.ts';
import type { Ledger } from '../ledger.ts';
import type { World } from '../world/world.ts';
import { acknowledgedViolations, type Outcomes } from './acknowledged.ts';
import { administratorViolations } from './administrators.ts';
import { auditViolations, inProcess } from './audit.ts';
import { bookingViolations } from './booking.ts';
import { orderViolations } from './order.ts';
import { rebuildViolations, tableViolations } from './readModels.ts';
import type { Violation } from './violation.ts';
import { voteViolations } from './votes.ts';

/** What the checks saw: that they saw something is part of the result. */
export type Findings = {
  readonly violations: readonly Violation[];
  readonly events: number;
  readonly outcomes: Outcomes;
  readonly rows: number;
  readonly audit: string;
};

/** Every check of a round, on a service that is well and has nothing left to do. */
export const examine = async (world: World, ledger: Ledger): Promise<Findings> => {
  const { events, head } = await world.log();
  const acknowledged = acknowledgedViolations(ledger, events);
  const booking = bookingViolations(events, ledger.planted);
  const votes = voteViolations(events);
  const administrators = administratorViolations(events);
  const rebuilt = await world.withStore((store, codec) => rebuildViolations({ pool: world.pool(), store, codec }));
  const tables = await tableViolations(world.pool(), {
    appointments: booking.appointments,
    revealed: votes.revealed,
    administrators: administrators.holders,
    adminRoleId: ADMIN_ROLE_ID,
  });
  const audit = await auditViolations(inProcess({ ...world.environment, CONVENE_DATA_DIR: `${world.folder}/files` }));
  return {
    violations: [
      ...orderViolations(events, { dense: world.eventStore === undefined, head }),
      ...acknowledged.violations,
      ...booking.violations,
      ...votes.violations,
      ...administrators.violations,
      ...rebuilt.violations,
      ...tables,
      ...audit.violations,
    ],
    events: events.length,
    outcomes: acknowledged.outcomes,
    rows: rebuilt.rows,
    audit: audit.told,
  };
};
