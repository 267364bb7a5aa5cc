export * from './changing.ts';
export * from './defining.ts';
export * from './deleting.ts';
export * from './permissions.ts';
export {
  events,
  isKnown,
  ROLE_CATALOG_ID,
  type RoleCatalog,
  type RoleCatalogEvent,
  roleCatalog,
  roleOf,
} from './state.ts';
