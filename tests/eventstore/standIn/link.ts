import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The network between the client and the server: cut, frozen or deaf in one direction, as a lost or stopped server makes it. */
export const link = async (serverPort: number) => {
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();
  let up = true;
  let frozen = false;
  let mute = false;

  const listener = createServer((near) => {
    const far = connect(serverPort, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    const drop = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', drop);
      socket.on('close', drop);
    }
    near.on('data', (bytes) => {
      if (!far.write(bytes)) near.pause();
    });
    far.on('drain', () => !frozen && near.resume());
    far.on('data', (bytes) => {
      if (mute) return;
      if (!near.write(bytes)) far.pause();
    });
    near.on('drain', () => !frozen && far.resume());
    if (frozen) {
      near.pause();
      far.pause();
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;

  const cut = (): void => {
    mute = false;
    for (const { near, far } of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
    pairs.clear();
  };

  return {
    port,
    /** Breaks every connection; new ones are refused until `raise`. */
    down: async (): Promise<void> => {
      up = false;
      listener.close();
      cut();
      mute = false;
    },
    raise: async (): Promise<void> => {
      if (up) return;
      up = true;
      listener.listen(port, '127.0.0.1');
      await once(listener, 'listening');
    },
    cut,
    /** Connections stay, nothing moves. */
    freeze: (): void => {
      frozen = true;
      for (const { near, far } of pairs) {
        near.pause();
        far.pause();
      }
    },
    thaw: (): void => {
      frozen = false;
      for (const { near, far } of pairs) {
        near.resume();
        far.resume();
      }
    },
    /** The server hears everything; nothing of what it says arrives, until the link is cut. */
    muffle: (): void => {
      mute = true;
    },
    close: (): void => {
      if (up) listener.close();
      up = false;
      cut();
    },
  };
};
