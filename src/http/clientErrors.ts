import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ConstantHeaders } from './headers.ts';
import { errorAnswer } from './problem.ts';

const answers: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request took too long to arrive'],
};

/** Answers what is not even HTTP with the error envelope, and hangs up. */
export const clientErrorHandler =
  (constant: ConstantHeaders) =>
  (error: Error & { readonly code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const [status, message] = answers[error.code ?? ''] ?? ['400 Bad Request', 'The request is not valid HTTP'];
    const body = JSON.stringify(errorAnswer('BAD_REQUEST', message, { reason: 'unreadable' }));
    if (socket.writable)
      socket.write(
        [
          `HTTP/1.1 ${status}`,
          'Content-Type: application/json; charset=utf-8',
          `Content-Length: ${Buffer.byteLength(body)}`,
          ...constant.map(([name, value]) => `${name}: ${value}`),
          `x-correlation-id: ${randomUUID()}`,
          'Connection: close',
          '',
          body,
        ].join('\r\n'),
      );
    socket.destroySoon();
  };
