import type { App, Deps } from '../app.ts';
import { kinds } from './kinds.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { createLive, type Live } from './live.ts';

export { registerServerSentEvents } from './serverSentEvents.ts';
export { registerWebSocket } from './webSocket.ts';

/** Starts to follow the log for live updates; ends with the application. */
export const startLive = async (app: App, deps: Deps, limits: Limits = defaultLimits): Promise<Live> => {
  const { feed, store, codec, commands, log } = deps;
  const live = await createLive({
    kinds,
    feed,
    store,
    codec,
    reads: commands.reads,
    limits,
    onError: (err) => log.warn({ err }, 'live updates could not read the log; trying again'),
  });
  app.addHook('onClose', live.close);
  return live;
};
