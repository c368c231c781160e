// What is told of two snapshots beside schema and rows: where they come from, and what is in them at all. None of it makes them differ, but
// it says why they may. Pure.
import type { Catalog } from '../../model/catalog.js';
import type { LeftOut, SourceInfo } from '../../model/manifest.js';
import { compareText, type Side } from './pair-tables.js';

/** Something that is not the same for both. Undefined: there is none. */
export interface SnapshotFact {
  readonly what: string;
  readonly a?: string;
  readonly b?: string;
}

/** Facts that are not the same. */
export function compareFacts(a: Side, b: Side): readonly SnapshotFact[] {
  const [factsA, factsB] = [factsOf(a), factsOf(b)];
  const names = [...new Set([...factsA.keys(), ...factsB.keys()])];
  return names.flatMap((what) => {
    const [inA, inB] = [factsA.get(what), factsB.get(what)];
    return inA === inB ? [] : [{ what, ...(inA !== undefined && { a: inA }), ...(inB !== undefined && { b: inB }) }];
  });
}

function factsOf({ manifest, catalog }: Side): ReadonlyMap<string, string> {
  const { source, settings, leftOut } = manifest;
  return new Map([
    ['server version', versionText(source.serverVersion)],
    ['encoding', source.encoding],
    ['locale', localeText(source)],
    ['contents', settings.sections.join(', ')],
    ...Object.entries(settings.selection).map(([option, patterns]) => [`selection: ${option}`, patterns.join(', ')] as const),
    ...propertiesOf(catalog),
    ...globalsOf(catalog),
    ...leftOut.toSorted(byName).map(({ kind, name, reason }) => [`left out: ${kind} ${name}`, reason] as const),
  ]);
}

/** `170004` -> `17.4` */
export function versionText(serverVersion: number): string {
  return `${Math.floor(serverVersion / 10_000)}.${serverVersion % 10_000}`;
}

function localeText({ localeProvider, locale, collate, ctype, icuRules }: SourceInfo): string {
  const ofProvider = locale === null ? '' : ` ${locale}`;
  const rules = icuRules === null ? '' : `, rules ${icuRules}`;
  return `${localeProvider}${ofProvider}, collate ${collate}, ctype ${ctype}${rules}`;
}

/** Of the database itself: what only a restore that makes the database brings back. */
function propertiesOf({ database }: Catalog): readonly (readonly [string, string])[] {
  return Object.entries(database ?? {}).map(([name, value]) => [`database: ${name}`, JSON.stringify(value)] as const);
}

/** How many there are: definitions of roles may hold hashes of passwords. */
function globalsOf({ globals }: Catalog): readonly (readonly [string, string])[] {
  if (globals === undefined) return [];
  return Object.entries(globals).map(([name, list]) => [`globals: ${name}`, String(list.length)] as const);
}

function byName(a: LeftOut, b: LeftOut): number {
  return compareText(a.kind, b.kind) || compareText(a.name, b.name);
}
