// Writes CREATE TABLE: columns with what belongs to them, checks, and the clauses after the list. What CREATE TABLE cannot say, or says
// too much of when it inherits, is in alter.ts.
import { qualifiedName, quoteIdentifier } from '../../../pg/quote.js';
import { optionsClause } from '../../generic-options.js';
import type { Form, Server } from '../../kind.js';
import { inTablespace, storageParameters, withAccessMethod, withParameters } from '../../relation-sql.js';
import { compressionNames } from './alter.js';
import type { Column, Constraint, Table } from './row.js';
import { constraintKey, defaultKey, inherits, inheritsExpression, isPrinted, statedNotNull, treatConstraint } from './shape.js';

/** `CONSTRAINT "c" CHECK (...)`, or the table form of a NOT NULL. */
export function constraintClause({ conname, definition, attname, connoinherit, convalidated }: Constraint): string {
  const name = `CONSTRAINT ${quoteIdentifier(conname)}`;
  if (attname === undefined) return `${name} ${definition}`;
  return `${name} NOT NULL ${quoteIdentifier(attname)}${connoinherit ? ' NO INHERIT' : ''}${convalidated ? '' : ' NOT VALID'}`;
}

function notNullClause(table: Table, column: Column, version: number): string {
  const stated = statedNotNull(table, column, version);
  if (stated === null) return '';
  const { constraint } = stated;
  if (constraint === undefined) return ' NOT NULL';
  return ` CONSTRAINT ${quoteIdentifier(constraint.conname)} NOT NULL${constraint.connoinherit ? ' NO INHERIT' : ''}`;
}

/** A generated column cannot get its expression without being one from the start: where a loop must be broken it begins as always NULL. */
function generationClause(table: Table, column: Column, form: Form): string {
  if (column.default === undefined || inheritsExpression(table, column)) return '';
  const expression = form.separated(defaultKey(column.default.oid)) ? `NULL::${column.type}` : column.default.expression;
  return ` GENERATED ALWAYS AS (${expression}) ${column.attgenerated === 'v' ? 'VIRTUAL' : 'STORED'}`;
}

function defaultClause(table: Table, column: Column, form: Form): string {
  if (column.attgenerated !== undefined) return generationClause(table, column, form);
  if (column.default !== undefined) {
    return form.separated(defaultKey(column.default.oid)) ? conflictClause(table, column) : ` DEFAULT ${column.default.expression}`;
  }
  return conflictClause(table, column);
}

/** Parents with different defaults are refused where the child says nothing. alter.ts takes the clause back. */
function conflictClause(table: Table, { parents }: Column): string {
  return inherits(table) && parents !== undefined && parents.defaults > 1 ? ' DEFAULT NULL' : '';
}

function columnClause(table: Table, column: Column, { form, version }: { form: Form; version: number }): string | null {
  const tail = `${defaultClause(table, column, form)}${notNullClause(table, column, version)}`;
  const name = quoteIdentifier(column.attname);
  if (table.oftype !== null) return tail === '' ? null : `${name} WITH OPTIONS${tail}`;
  return `${name} ${column.type}${compressionClause(table, column)}${column.collation === undefined ? '' : ` COLLATE ${column.collation}`}${tail}`;
}

/** No ALTER sets it on a foreign table. */
function compressionClause({ relkind }: Table, { attcompression }: Column): string {
  return relkind === 'f' && attcompression !== undefined ? ` COMPRESSION ${compressionNames[attcompression]}` : '';
}

/** Constraints that CREATE TABLE states by themselves: checks, and the not-nulls of columns that are not in the list. */
function isListed(table: Table, constraint: Constraint, form: Form): boolean {
  if (treatConstraint(table, constraint) !== 'stated' || form.separated(constraintKey(constraint))) return false;
  return !table.columns.some((column) => column.attname === constraint.attname && isPrinted(table, column));
}

/** CREATE TABLE, and what says where and how it is stored. */
export function createTable(table: Table, form: Form, server: Server): readonly string[] {
  const { relkind, amname } = table;
  const placed = inTablespace(table.spcname, statement(table, form, server));
  if (relkind === 'r') return withAccessMethod(amname, placed);
  // A partitioned table has no storage and takes no default, only (from 17) what it is told. Partitions are made by themselves.
  if (amname === null) return placed;
  const method = `ALTER TABLE ONLY ${qualifiedName(table.nspname, table.relname)} SET ACCESS METHOD ${quoteIdentifier(amname)}`;
  return [...placed, method];
}

/** UNLOGGED says nothing for a partitioned table, which has no storage, and is refused from 18 on. */
function sortOf({ relkind, relpersistence }: Table): string {
  if (relkind === 'f') return 'FOREIGN ';
  return relpersistence === 'u' && relkind === 'r' ? 'UNLOGGED ' : '';
}

function foreignClause({ foreign }: Table): string {
  return foreign === null ? '' : `\nSERVER ${quoteIdentifier(foreign.srvname)}${optionsClause(foreign.options)}`;
}

function statement(table: Table, form: Form, { version }: Server): string {
  const columns = table.columns
    .filter((column) => isPrinted(table, column))
    .map((column) => columnClause(table, column, { form, version }))
    .filter((clause) => clause !== null);
  const constraints = table.constraints.filter((constraint) => isListed(table, constraint, form)).map(constraintClause);
  const items = [...columns, ...constraints];
  const list = items.length > 0 ? ` (\n    ${items.join(',\n    ')}\n)` : table.oftype === null ? ' ()' : '';
  return [
    `CREATE ${sortOf(table)}TABLE ${qualifiedName(table.nspname, table.relname)}`,
    table.oftype === null ? '' : ` OF ${table.oftype}`,
    list,
    inherits(table) ? `\nINHERITS (${table.parents.map(({ nspname, relname }) => qualifiedName(nspname, relname)).join(', ')})` : '',
    table.partkey === null ? '' : `\nPARTITION BY ${table.partkey}`,
    foreignClause(table),
    withParameters([...storageParameters(table.reloptions ?? []), ...storageParameters(table.toastoptions ?? [], 'toast')]),
  ].join('');
}
