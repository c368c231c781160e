// The catalog's form on disk, member `schema/catalog.json`: model/catalog.ts as it is, for it has no numbers past 2^53. Ids are
// checked here, so that a plan may follow them without looking.
import * as z from 'zod';
import { catalogMember } from '../frame/member-names.js';
import type { Catalog, CatalogObject, CatalogTable, Step } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { fields, index, indexes, listOf, oneOf, optional, pair, text, texts as textsForm, uint32 } from './forms.js';
import { checkItems, checkJsonBounds, type JsonLimits } from './json-bounds.js';
import { decodeJson, list, ofForm, parseJson, tableForms, texts } from './json-types.js';

const object = fields<CatalogObject>({
  id: index,
  kind: text,
  schema: optional(text),
  name: text,
  parent: optional(index),
  partitionOf: optional(index),
  inherits: optional(indexes),
  drop: optional(text),
  oids: optional(listOf(pair(uint32, uint32))),
});

const step = fields<Step>({
  id: index,
  object: index,
  section: oneOf('pre-data', 'data', 'post-data'),
  facet: oneOf('definition', 'owner', 'comment', 'security-label', 'privilege', 'value', 'refresh'),
  statements: textsForm,
  needs: indexes,
  completes: optional(index),
  roles: optional(textsForm),
});

const table = fields<CatalogTable>({
  ...tableForms,
  loadInto: optional(index),
  extensionCondition: optional(text),
  elsewhere: optional(oneOf(true)),
});

const labels = list(z.strictObject({ provider: z.string(), label: z.string() }).readonly());

const database = z
  .strictObject({
    owner: z.string().nullable(),
    comment: z.string().nullable(),
    labels,
    datconnlimit: z.int(),
    datistemplate: z.boolean(),
    tablespace: z.string().nullable(),
    privileges: list(
      z.strictObject({ grantee: z.string().nullable(), privilege: z.string(), grantable: z.boolean() }).readonly(),
    ).nullable(),
    settings: list(z.strictObject({ role: z.string().nullable(), config: texts }).readonly()),
  })
  .readonly();

/** PostgreSQL's name of it: it goes into statements. */
const encoding = z.string().regex(/^[A-Z0-9_]{1,63}$/);

const role = z
  .strictObject({
    rolname: z.string(),
    rolsuper: z.boolean(),
    rolinherit: z.boolean(),
    rolcreaterole: z.boolean(),
    rolcreatedb: z.boolean(),
    rolcanlogin: z.boolean(),
    rolreplication: z.boolean(),
    rolbypassrls: z.boolean(),
    rolconnlimit: z.int(),
    rolvaliduntil: z.string().nullable(),
    rolpassword: z.string().nullable().exactOptional(),
    bootstrap: z.literal(true).exactOptional(),
    comment: z.string().nullable(),
    labels,
    settings: texts,
  })
  .readonly();

const membership = z
  .strictObject({
    role: z.string(),
    member: z.string(),
    grantor: z.string().nullable(),
    admin: z.boolean(),
    inherit: z.boolean().nullable(),
    set: z.boolean().nullable(),
  })
  .readonly();

const tablespace = z
  .strictObject({
    spcname: z.string(),
    owner: z.string().nullable(),
    location: z.string(),
    options: texts,
    comment: z.string().nullable(),
    labels,
    privileges: texts,
    roles: texts,
  })
  .readonly();

const globals = z
  .strictObject({
    roles: list(role),
    settings: texts,
    memberships: list(membership),
    parameters: list(z.strictObject({ name: z.string(), statements: texts, roles: texts }).readonly()),
    tablespaces: list(tablespace),
  })
  .readonly();

const catalog = z
  .strictObject({
    objects: ofForm(listOf(object)),
    steps: ofForm(listOf(step)),
    tables: ofForm(listOf(table)),
    textEncoding: encoding.exactOptional(),
    rowEncoding: encoding.exactOptional(),
    database: database.exactOptional(),
    globals: globals.exactOptional(),
  })
  .readonly();

function inconsistent(what: string): TidemarkError {
  return new TidemarkError('ARCHIVE_CORRUPT', `read ${catalogMember}: ${what}`);
}

/** Following these from any object comes to an end: a plan may walk up without counting its steps. */
function checkAncestors(count: number, { what, next }: { readonly what: string; readonly next: (id: number) => number | undefined }): void {
  // The walk on which an object was first seen: seen again on the same one, it is its own ancestor.
  const walks = new Int32Array(count).fill(-1);
  for (let start = 0; start < count; start++) {
    for (let id: number | undefined = start; id !== undefined && walks[id] !== -2; id = next(id)) {
      if (id >= count || walks[id] === start) throw inconsistent(`object ${start} has no true ${what}`);
      walks[id] = start;
    }
    // All of this walk leads to an end.
    for (let id: number | undefined = start; id !== undefined && walks[id] === start; id = next(id)) walks[id] = -2;
  }
}

/** Ids are positions, and whatever refers to one refers to one that is there; a step needs only what comes before it. */
function checkIds({ objects, steps, tables }: Catalog): void {
  objects.forEach(({ id }, at) => {
    if (id !== at) throw inconsistent(`object ${at} has the id ${id}`);
  });
  checkAncestors(objects.length, { what: 'parent', next: (id) => objects[id]?.parent });
  checkAncestors(objects.length, { what: 'partitioned table', next: (id) => objects[id]?.partitionOf });
  for (const { id, inherits = [] } of objects) {
    if (inherits.some((parent) => parent >= objects.length)) throw inconsistent(`object ${id} inherits from one that is not there`);
  }
  steps.forEach(({ id, object, needs, completes }, at) => {
    if (id !== at) throw inconsistent(`step ${at} has the id ${id}`);
    if (object >= objects.length) throw inconsistent(`step ${id} is of object ${object}, which is not there`);
    const late = [...needs, ...(completes === undefined ? [] : [completes])].find((need) => need >= id);
    if (late !== undefined) throw inconsistent(`step ${id} needs step ${late}, which does not come before it`);
  });
  const seen = new Set<number>();
  const directories = new Set<string>();
  for (const { object, directory, loadInto = 0 } of tables) {
    if (object >= objects.length || loadInto >= objects.length)
      throw inconsistent(`a table is object ${object}, or loaded into one, which is not there`);
    if (seen.has(object) || directories.has(directory)) throw inconsistent(`object ${object} is a table twice`);
    seen.add(object);
    directories.add(directory);
  }
}

/** The text of `schema/catalog.json`: one line of JSON. Throws ZodError or ARCHIVE_CORRUPT where the catalog breaks its own rules. */
export function serializeCatalog(value: Catalog): string {
  checkIds(value);
  return `${JSON.stringify(z.encode(catalog, value))}\n`;
}

/** Out of the member's body. Throws as `parseCatalog`, and ARCHIVE_CORRUPT, ARCHIVE_INVALID where it passes the limits. */
export function decodeCatalog(body: Buffer, limits?: JsonLimits): Catalog {
  checkJsonBounds(catalogMember, body, limits);
  return parseCatalog(body.toString('utf8'), limits);
}

/** Reads a catalog. Throws ARCHIVE_CORRUPT where anything is missing, unknown, of the wrong form, or an id leads nowhere. */
export function parseCatalog(text: string, limits?: JsonLimits): Catalog {
  const parsed = parseJson(catalogMember, text);
  checkItems(catalogMember, parsed, limits);
  const value = decodeJson(catalog, catalogMember, parsed);
  checkIds(value);
  return value;
}
