import pg from 'pg';

/** Tells when something was appended. */
export type Listener = {
  /** Settles at the next append by anyone, on reconnection, and after {@link BACKSTOP_MS} at the latest. Ask before reading, wait after. */
  readonly next: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A notification cannot get lost on a living connection; a connection that died without a word is noticed by this. */
const BACKSTOP_MS = 5_000;

/** Listens on a connection of its own and connects again by itself. `heard` is given what each notification carries. */
export const listen = (
  config: pg.ClientConfig,
  channel: string,
  heard: (payload: string) => void = () => {},
): Listener => {
  let closed = false;
  let client: pg.Client | undefined;
  let wake: () => void = () => {};
  let next = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const ring = (): void => {
    const former = wake;
    next = new Promise((resolve) => {
      wake = resolve;
    });
    former();
  };
  const backstop = setInterval(ring, BACKSTOP_MS);
  backstop.unref();

  const connect = async (): Promise<void> => {
    const fresh = new pg.Client({ ...config, keepAlive: true });
    let lost = false;
    const again = (): void => {
      if (lost || closed) return;
      lost = true;
      fresh.end().catch(() => {});
      setTimeout(() => void connect(), 100 + Math.random() * 200).unref();
    };
    fresh.on('error', again);
    fresh.on('end', again);
    fresh.on('notification', ({ payload }) => {
      heard(payload ?? '');
      ring();
    });
    try {
      await fresh.connect();
      await fresh.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch {
      return again();
    }
    client = fresh;
    // What was appended between two connections was announced to nobody.
    ring();
    if (closed) await fresh.end().catch(() => {});
  };
  const connected = connect();

  return {
    next: () => next,
    close: async () => {
      closed = true;
      clearInterval(backstop);
      ring();
      await connected;
      await client?.end().catch(() => {});
    },
  };
};
