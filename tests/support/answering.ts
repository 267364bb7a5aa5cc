import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as a server received it. */
export type Asked = {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** An HTTP server on the loopback address that answers as it is told and keeps what it was asked; closed with the test. */
export const answering = async (
  t: { after: (callback: () => Promise<void>) => unknown },
  answer: (response: ServerResponse, asked: Asked) => void,
) => {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    const body = await text(request).catch(() => undefined);
    // Who hangs up before he has said all has asked nothing.
    if (body === undefined) return;
    const one = { method, path, headers, body };
    asked.push(one);
    answer(response, one);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
};

/** Answers with JSON. */
export const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

/** Sends a little of an answer now and then, and never all of it. */
export const dripping = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  let last = 0;
  const drip = (): void => {
    if (response.destroyed) return;
    if (performance.now() - last > 20) {
      response.write(' ');
      last = performance.now();
    }
    setImmediate(drip);
  };
  drip();
};
