export * from './connecting.ts';
export * from './ending.ts';
export { events, type IntegrationEvent } from './events.ts';
export * from './refreshing.ts';
export { INTEGRATION_UNKNOWN, type Integration, integration, isUsable } from './state.ts';
