import type { Answer, Client } from '../../support/service.ts';

/** Headers with which a query shows what another caller's command did. */
export const after = ({ headers }: Answer) => ({ 'consistency-token': headers.get('consistency-token') ?? '' });

/** The same for whichever of many commands came last. */
export const latest = (answers: readonly Answer[]) => {
  const tokens = answers.map(({ headers }) => Number(headers.get('consistency-token')));
  return { 'consistency-token': String(Math.max(...tokens)) };
};

/** An answer that must be a success; its data. */
export const done = ({ status, body }: Answer) => {
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body.data;
};

/** A session of somebody's that others have joined. `at` is its path. */
export type Room = { readonly id: string; readonly code: string; readonly at: string };
export const room = async (
  host: Client,
  people: readonly Client[],
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Room> => {
  const { id, code } = done(await host.post('/sessions', { name: 'Sprint 12', settings }));
  for (const person of people) done(await person.post(`/sessions/${id}/join`));
  return { id, code, at: `/sessions/${id}` };
};

/** Adds a story; its path. */
export const story = async (host: Client, { at }: Room, title = 'Log in by e-mail'): Promise<string> =>
  `${at}/stories/${done(await host.post(`${at}/stories`, { title })).id}`;

/** A room with an open round; `on` is the path of its story. */
export const voting = async (
  host: Client,
  people: readonly Client[],
  settings: Readonly<Record<string, unknown>> = {},
) => {
  const session = await room(host, people, settings);
  const on = await story(host, session);
  const opened = done(await host.post(`${on}/open`));
  return { ...session, on, storyId: on.slice(on.lastIndexOf('/') + 1), deadline: opened.deadline as string | null };
};
