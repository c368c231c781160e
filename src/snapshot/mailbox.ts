// Messages between threads, several at a time: each costs both sides as much as some kilobytes of rows, and small tables have nothing else.
import { setImmediate } from 'node:timers';

/** The way that what was posted takes. Memory that is passed on belongs to the other side from then on. */
export type Send<Message> = (messages: readonly Message[], transfer: readonly ArrayBuffer[]) => void;

/** @returns what posts one message; all of one turn of the event loop are sent together at its end, in their order */
export function mailbox<Message>(send: Send<Message>): (message: Message, transfer?: readonly ArrayBuffer[]) => void {
  let messages: Message[] = [];
  let transfers: ArrayBuffer[] = [];
  const flush = (): void => {
    const [all, memory] = [messages, transfers];
    [messages, transfers] = [[], []];
    send(all, memory);
  };
  return (message, transfer = []) => {
    if (messages.length === 0) setImmediate(flush);
    messages.push(message);
    transfers.push(...transfer);
  };
}
