import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import { describeWith, kafkaBrokers } from '#testing';
import { systemClock } from '../../clock/clock.js';
import { eventLogContract } from '../event-log-contract.js';
import type { EventLogFixture } from '../event-log-contract.js';
import type { EventLog } from '../event-log.js';
import { openKafkaEventLog } from './kafka-event-log.js';

const quick = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200, retryDelayMs: 20, onError: (): void => undefined };

describeWith('kafka', 'with a broker', () => {
  eventLogContract('kafka', startFixture);
});

async function startFixture(): Promise<EventLogFixture> {
  const brokers = await kafkaBrokers();
  const wires = new WeakMap<EventLog, Wire>();
  let count = 0;
  return {
    open: async () => {
      const wire = new Wire();
      const log = openKafkaEventLog({ brokers, clientId: `log-${(count += 1)}`, clock: systemClock, socketFactory: wire.socketFactory, ...quick });
      wires.set(log, wire);
      return log;
    },
    cutOff: async (log) => wires.get(log)?.cut(),
    close: async () => undefined,
  };
}

/** The connections of one log, to be cut as if its process had been killed. */
class Wire {
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  readonly socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port: this.isCut ? 1 : port }, onConnect);
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    return socket;
  };

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy(new Error('Cut.'));
  }
}
