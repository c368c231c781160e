// The use case "list an archive": what a restore of it, or of the part that the options choose, would do. No database is asked.
import { openArchive } from '../../archive/reader.js';
import type { Catalog } from '../../model/catalog.js';
import type { LeftOut, SourceInfo } from '../../model/manifest.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import type { Position } from '../../model/position.js';
import { type ListEntry, listLine, listPlan } from '../../restore/list.js';
import { planContents } from '../../restore/plan.js';
import { selectContents } from '../../selection/contents.js';
import { keepListed } from '../../selection/toc.js';
import { type ContentOptions, contentOptionNames, refuse, settleContents } from '../common-options.js';
import { readText, withFilters } from '../read-filters.js';
import { openSealed, type TrustOptions, trustOf, trustOptionNames } from '../seal/open-sealed.js';
import type { StoreOptions } from './open-bytes.js';

export type { ListEntry } from '../../restore/list.js';

export interface ListOptions extends ContentOptions, TrustOptions {
  /** Path or URL of the archive, or of a store whose newest one is meant. */
  readonly file: string;
  /** For a URL: credentials and the like. */
  readonly store?: StoreOptions;
  /** Of a store that several series of snapshots share: whose newest one is meant. */
  readonly prefix?: string;
  /** Path of a list: only what it has. */
  readonly useList?: string;
  /** Without the statistics that the archive has. */
  readonly noStatistics?: boolean;
}

const optionNames: OptionNames<ListOptions> = {
  file: true,
  store: true,
  prefix: true,
  useList: true,
  noStatistics: true,
  ...contentOptionNames,
  ...trustOptionNames,
};

export interface ArchiveList {
  /** Without secrets. */
  readonly file: string;
  readonly source: SourceInfo;
  readonly position: Position;
  readonly entries: readonly ListEntry[];
  /** What the archive has of the server as a whole, for a restore with `globals`. */
  readonly globals?: GlobalsList;
  /** What a selection would leave out, and why. */
  readonly leftOut: readonly LeftOut[];
  /** The entries as lines that `useList` takes. */
  readonly lines: readonly string[];
}

/** Names. */
export interface GlobalsList {
  readonly roles: readonly string[];
  readonly memberships: number;
  readonly parameters: readonly string[];
  readonly tablespaces: readonly string[];
}

function listGlobals({ globals }: Catalog): { readonly globals?: GlobalsList } {
  if (globals === undefined) return {};
  const { roles, memberships, parameters, tablespaces } = globals;
  return {
    globals: {
      roles: roles.map(({ rolname }) => rolname),
      memberships: memberships.length,
      parameters: parameters.map(({ name }) => name),
      tablespaces: tablespaces.map(({ spcname }) => spcname),
    },
  };
}

/** Lists an archive in the order of a restore.
 *  @throws TidemarkError USAGE, PATTERN_UNMATCHED, FILE_ERROR, OBJECT_MISSING, STORE_ERROR, ARCHIVE_* */
export async function listArchive(options: ListOptions): Promise<ArchiveList> {
  refuseUnknownOptions(options, optionNames, 'list an archive');
  const { useList, store, prefix } = options;
  const opened = await openSealed(options.file, {
    ...(store && { store }),
    ...(prefix !== undefined && { prefix }),
    ...trustOf(options),
  });
  const archive = await openArchive(opened.bytes, opened);
  const { path: file } = archive;
  try {
    const { source, position, tables } = archive.manifest;
    const filtered = await withFilters(options);
    refuse('includeForeignData' in filtered, 'list: foreign_data in a filter file is for snapshots');
    const settled = settleContents(filtered, { attempt: 'list', inDatabase: { database: source.database } });
    const contents = options.noStatistics ? { ...settled, statistics: false } : settled;
    const { sections } = contents;
    const whole = await archive.readCatalog();
    const listed = useList === undefined ? whole : keepListed(whole, { text: await readText('list', useList), name: useList });
    const { catalog, leftOut } = selectContents(listed, contents);
    const stored = new Map(tables.map((table) => [table.directory, table]));
    const plan = planContents(catalog, {
      schema: sections.has('pre-data'),
      data: sections.has('data'),
      postData: sections.has('post-data'),
      statistics: 'marked',
      rowsOf: ({ directory }) => stored.get(directory),
    });
    const entries = listPlan(catalog, plan);
    return { file, source, position, entries, ...listGlobals(catalog), leftOut, lines: entries.map(listLine) };
  } finally {
    await archive.close();
  }
}
