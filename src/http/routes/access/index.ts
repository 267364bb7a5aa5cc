import type { App, Deps } from '../../app.ts';
import { accountRoutes } from './accounts.ts';
import { permissionRoutes } from './permissions.ts';
import { roleRoutes } from './roles.ts';

/** What can be read of roles, permissions and who holds them. */
export const accessRoutes = (app: App, deps: Deps): void => {
  roleRoutes(app, deps);
  permissionRoutes(app, deps);
  accountRoutes(app, deps);
};
