import type { Random } from './random.ts';

/** Values seen in answers, by the name of the field that takes them. */
export type Pool = {
  readonly add: (name: string, value: string) => void;
  readonly pick: (name: string, random: Random) => string | undefined;
  /** Takes in what an answer holds: its ids, by their own names and by what the path says that they are ids of. */
  readonly harvest: (path: string, data: unknown) => void;
};

const KEPT = 60;
const NAMES = /(?:Id|Ids|code|startTime|permission|^name)$/;

/** What a plain `id` is the id of, by the path that it was answered on. */
const owners: readonly (readonly [RegExp, string])[] = [
  [/\/stories/, 'storyId'],
  [/\/auth\/sessions/, 'sessionId'],
  [/\/sessions|Session$/, 'sessionId'],
  [/\/appointments|Appointment$/, 'appointmentId'],
  [/\/rbac\/roles|Role$/, 'roleId'],
  [/\/audit\/logs/, 'id'],
];

/** Fields whose values other fields take. */
const alike: Readonly<Record<string, readonly string[]>> = {
  accountId: ['participantId', 'userId', 'onBehalfOf', 'actorId', 'subjectId', 'providerId', 'streamId'],
  participantId: ['accountId'],
  providerId: ['accountId'],
  userId: ['accountId', 'actorId', 'subjectId'],
  sessionId: ['streamId', 'targetId'],
  appointmentId: ['streamId', 'targetId'],
  storyId: ['streamId', 'targetId'],
};

/** Takes in only what `takes` lets in. */
export const createPool = (takes: (value: string) => boolean): Pool => {
  const values = new Map<string, string[]>();
  const keep = (name: string, value: string): void => {
    const list = values.get(name) ?? [];
    if (list.includes(value) || !takes(value)) return;
    list.push(value);
    if (list.length > KEPT) list.splice(1, 1);
    values.set(name, list);
  };
  const add = (name: string, value: string): void => {
    for (const each of [name, ...(alike[name] ?? [])]) keep(each, value);
  };
  const walk = (data: unknown, idOf: string | undefined, levels: number): void => {
    if (typeof data !== 'object' || data === null || levels === 0) return;
    for (const [key, value] of Object.entries(data)) {
      if (typeof value === 'string' && value.length <= 200) {
        if (key === 'id' && idOf !== undefined) add(idOf, value);
        else if (NAMES.test(key)) add(key, value);
      } else walk(value, key === 'stories' ? 'storyId' : key === 'participants' ? 'participantId' : idOf, levels - 1);
    }
  };
  return {
    add,
    pick: (name, random) => {
      const list = values.get(name);
      return list === undefined ? undefined : random.pick(list);
    },
    harvest: (path, data) => {
      const bare = path.split('?')[0] ?? '';
      walk(data, owners.find(([pattern]) => pattern.test(bare))?.[1], 6);
    },
  };
};
