// Rows of an archive that comes from a pipe: each member as it comes, to whichever session is free. A member of ordinary size is taken
// whole, so that the next can be read while the server still has this one; a large one holds the pipe until it is through.
import { wholeMemberLimit } from '../frame/decode.js';
import type { Manifest } from '../model/manifest.js';
import type { Session } from '../pg/session.js';
import { deliver } from './load-chunk.js';
import { deliveryOf, type TableLoad } from './plan.js';

/** What is used of a member that comes by. */
export interface IncomingMember {
  readonly name: string;
  readonly rawBytes: bigint;
  body(): AsyncIterable<Uint8Array>;
  /** Once the body was taken. */
  stored(): { readonly length: bigint };
  /** On the last one. */
  readonly manifest?: Manifest;
}

export interface StreamOptions {
  readonly sessions: readonly Session[];
  readonly onLoaded: (
    load: TableLoad,
    chunk: { readonly rows: bigint; readonly rawBytes: bigint; readonly compressedBytes: bigint },
  ) => void;
}

/** Loads what belongs to `loads` and passes over all else.
 *  @returns the manifest: it comes only when all of the archive was found to be as it says. Not before may the rows count.
 *  @throws TidemarkError of the first chunk that failed, at once; what the archive's reader throws. Others may still be on their way
 *  then: cut their sessions */
export async function loadStream(
  members: AsyncIterable<IncomingMember>,
  loads: readonly TableLoad[],
  options: StreamOptions,
): Promise<Manifest | undefined> {
  const crew = new Crew(options.sessions);
  const reading = read(members, { loads, crew, onLoaded: options.onLoaded });
  reading.catch(() => undefined);
  // A pipe can stand still for long: the server's error must not wait for its next byte.
  return Promise.race([reading, crew.failed]);
}

interface Reading extends Pick<StreamOptions, 'onLoaded'> {
  readonly loads: readonly TableLoad[];
  readonly crew: Crew;
}

async function read(members: AsyncIterable<IncomingMember>, { loads, crew, onLoaded }: Reading): Promise<Manifest | undefined> {
  const byDirectory = new Map(loads.map((load) => [load.directory, load]));
  let manifest: Manifest | undefined;
  for await (const member of members) {
    manifest = member.manifest;
    const load = byDirectory.get(member.name.slice(0, member.name.lastIndexOf('/')));
    if (load === undefined) continue;
    const { rawBytes } = member;
    const large = rawBytes > BigInt(wholeMemberLimit);
    const body = large ? member.body() : await collect(member.body());
    const sent = await crew.give(async (session) => {
      const rows = await deliver(session, { ...deliveryOf(load), body, rows: undefined });
      onLoaded(load, { rows, rawBytes, compressedBytes: member.stored().length });
    });
    if (large) await sent.done;
  }
  await crew.finished();
  return manifest;
}

/** Sessions that work side by side; after a failure none begins anything. */
class Crew {
  /** Never resolves; rejects with the first failure. */
  readonly failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  readonly #idle: Session[];
  readonly #busy = new Set<Promise<void>>();

  constructor(sessions: readonly Session[]) {
    this.#idle = [...sessions];
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  /** Resolves when a session has begun with it. A failure shows in `failed`, and keeps `done` from resolving. */
  async give(work: (session: Session) => Promise<void>): Promise<{ readonly done: Promise<void> }> {
    for (;;) {
      const session = this.#idle.pop();
      if (session !== undefined) return { done: this.#run(session, work) };
      await Promise.race([this.failed, ...this.#busy]);
    }
  }

  async finished(): Promise<void> {
    await Promise.race([this.failed, Promise.all(this.#busy)]);
  }

  #run(session: Session, work: (session: Session) => Promise<void>): Promise<void> {
    const done = new Promise<void>((resolve) => {
      work(session).then(() => {
        this.#busy.delete(done);
        this.#idle.push(session);
        resolve();
      }, this.#fail);
    });
    this.#busy.add(done);
    return done;
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces;
}
