import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { StoryList, StoryView } from '../../../commands/estimation/answers.ts';
import { addStoryBinding, importStoriesBinding } from '../../../commands/estimation/index.ts';
import { addStory, importStories, sessionRef } from '../../../domain/estimation/session/index.ts';
import { answer } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { inputOf, runCommand } from '../../commandRoutes.ts';
import { Problem } from '../../problem.ts';
import { isTable, readTable, storiesIn, type Table } from './csvStories.ts';

const Created = z.union([StoryView, StoryList]);
const InSession = z.object({ sessionId: sessionRef });

/** The schema documents what the command's own answer is made of. */
const created = (data: unknown) => ({ success: true as const, data: data as z.output<typeof Created> });

/** Details of a refusal say on which line of the file a story stands. */
const withLines = (problem: Problem, lines: readonly number[]): Problem => {
  const details = problem.details.map(({ field, message }) => {
    const line = lines[Number(/^stories\.(\d+)/.exec(field)?.[1] ?? Number.NaN)];
    return { field, message: line === undefined ? message : `Line ${line}: ${message}` };
  });
  return new Problem(problem.code, problem.message, { reason: problem.reason, details });
};

const textOf = (bytes: Buffer, { headers }: FastifyRequest): string => {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'The body must not be compressed', { reason: 'body-compressed' });
  if (!isUtf8(bytes)) throw new Problem('BAD_REQUEST', 'The body is not valid UTF-8', { reason: 'unreadable' });
  return bytes.toString('utf8');
};

/** The one route by which stories come in: one of them, or many as JSON or as CSV, and then all of them or none. */
export const storyIntake = async (parent: App, deps: Deps): Promise<void> => {
  await parent.register(async (scoped) => {
    const app: App = scoped.withTypeProvider<ZodTypeProvider>();
    app.addContentTypeParser('text/csv', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
      const table: Table = { table: readTable(textOf(bytes, request)) };
      return table;
    });

    app.route({
      method: 'POST',
      url: '/sessions/:sessionId/stories',
      config: {
        access: addStoryBinding.access,
        runsCommand: true,
        alsoAccepts: {
          'text/csv':
            'A table whose first line names the columns: title, and any of description, externalRef and url. ' +
            'Columns of other names are passed over.',
        },
      },
      schema: {
        summary: 'Add a story to the end of the list, or many at once: all of them, or none',
        params: InSession,
        body: z
          .union([addStory.input.omit({ sessionId: true }), importStories.input.omit({ sessionId: true })])
          .meta({ examples: [{ title: 'Log in by e-mail', externalRef: 'SHOP-12' }] }),
        response: { 201: answer(Created) },
      },
      // The schema documents; the pipeline parses, once.
      validatorCompiler: () => (value: unknown) => ({ value }),
      handler: async (request, reply) => {
        const { body } = request;
        if (isTable(body)) {
          const { stories, lines } = storiesIn(body.table);
          const { sessionId } = request.params as z.output<typeof InSession>;
          const input = { sessionId, stories };
          try {
            const { data } = await runCommand(app, deps, importStoriesBinding, { request, reply, input });
            return created(data);
          } catch (error) {
            throw error instanceof Problem ? withLines(error, lines) : error;
          }
        }
        const input = inputOf(request, true);
        const binding = input.stories === undefined ? addStoryBinding : importStoriesBinding;
        const { data } = await runCommand(app, deps, binding, { request, reply, input });
        return created(data);
      },
    });
  });
};
