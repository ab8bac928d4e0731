import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createSocketRoom } from './socket-room.ts';

describe('room for connections', () => {
  const entered = (count: number, max: number) => {
    const room = createSocketRoom(max);
    const sockets = Array.from({ length: count }, () => new Socket());
    return { room, sockets, enterAll: () => sockets.forEach(room.enter) };
  };
  const alive = (sockets: readonly Socket[]): readonly boolean[] => sockets.map(({ destroyed }) => !destroyed);

  it('is made by the one that has waited longest', () => {
    const { room, sockets, enterAll } = entered(3, 2);
    enterAll();
    assert.deepEqual([alive(sockets), room.sockets.size], [[false, true, true], 2]);
  });

  it('is made by the one that said nothing for longest', () => {
    const { room, sockets, enterAll } = entered(2, 2);
    enterAll();
    for (const socket of sockets.slice(0, 1)) room.renew(socket);
    const newcomer = new Socket();
    room.enter(newcomer);
    assert.deepEqual(alive([...sockets, newcomer]), [true, false, true]);
  });

  it('is not made by those that stay: a newcomer goes when there are no others', () => {
    const { room, sockets, enterAll } = entered(2, 2);
    enterAll();
    sockets.forEach(room.stay);
    const newcomer = new Socket();
    room.enter(newcomer);
    assert.deepEqual(alive([...sockets, newcomer]), [true, true, false]);
  });

  it('is left by those that close', async () => {
    const { room, sockets, enterAll } = entered(2, 2);
    enterAll();
    for (const socket of sockets) {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy();
      await closed;
    }
    assert.equal(room.sockets.size, 0);
  });
});
