export * from './changing.ts';
export type { EditorFacts } from './checks.ts';
export * from './defining.ts';
export * from './permissions.ts';
export {
  events,
  ROLE_CATALOG_ID,
  type Role,
  type RoleCatalog,
  type RoleCatalogEvent,
  roleCatalog,
  roleOf,
} from './state.ts';
