// Tables, partitioned tables and foreign tables with all that is theirs alone: columns, defaults, generation expressions, checks, not-nulls, parents,
// partitions, settings. Identity columns are with the sequences; keys, indexes, triggers and policies are kinds of their own.
import { qualifiedName } from '../../../pg/quote.js';
import { defineKind, type Key, key, nameOf, type ObjectDraft, type Server, type StepDraft } from '../../kind.js';
import { alterColumns, finishTable } from './alter.js';
import { tableConstraints } from './constraints.js';
import { createTable } from './create.js';
import { defaultObjects, defaultsWithin } from './defaults.js';
import { chargeFamily, familySteps } from './inherit.js';
import { tableQuery } from './query.js';
import { type ListedTable, readTable, type Table, tableRow } from './row.js';
import { tableKey } from './shape.js';

function steps(table: Table, server: Server): readonly StepDraft[] {
  const self = tableKey(table);
  const name = qualifiedName(table.nspname, table.relname);
  const settings = alterColumns(table);
  return [
    {
      key: self,
      facet: 'definition',
      section: 'pre-data',
      needs: [],
      statements: (form) => [...createTable(table, form, server), ...finishTable(table, server.version)],
    },
    ...familySteps(table, server.version),
    // When the children are there: they would inherit storage and compression, which they have of their own.
    ...optional(settings.length > 0, {
      key: `${self}/columns`,
      facet: 'definition',
      section: 'pre-data',
      needs: [self, ...table.children.map((oid) => key('pg_class', oid))],
      statements: () => settings,
    }),
    // Like a policy without a name: the rows come first.
    ...optional(table.relrowsecurity, {
      key: `${self}/row-security`,
      facet: 'definition',
      section: 'post-data',
      needs: [self],
      statements: () => [`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`],
    }),
  ];
}

function optional(wanted: boolean, step: StepDraft): readonly StepDraft[] {
  return wanted ? [step] : [];
}

/** @param within catalog rows that are nothing but part of it */
function tableObject(table: Table, server: Server, within: readonly Key[]): ObjectDraft {
  const name = qualifiedName(table.nspname, table.relname);
  const isForeign = table.relkind === 'f';
  const also: Key[] = [
    ...[table.reltype, table.typarray].filter((oid) => oid !== 0).map((oid) => key('pg_type', oid)),
    ...(table.reltoastrelid === 0 ? [] : [key('pg_class', table.reltoastrelid)]),
    ...defaultsWithin(table, server),
    ...within,
  ];
  return {
    key: tableKey(table),
    kind: isForeign ? 'foreign table' : 'table',
    schema: table.nspname,
    name: table.relname,
    ...(table.partition === null ? {} : { partitionOf: tableKey(table.partition) }),
    ...(table.parents.length === 0 ? {} : { inherits: table.parents.map(tableKey) }),
    also,
    steps: steps(table, server),
    ddl: `${isForeign ? 'FOREIGN ' : ''}TABLE ${name}`,
    grant: `TABLE ${name}`,
    owner: table.owner,
    columnName: nameOf(table.columns),
    charge: (edge) => chargeFamily(table, edge),
  };
}

export const table = defineKind<ListedTable>({
  name: 'table',
  only: ['pg_class:r', 'pg_class:p', 'pg_class:f'],
  row: tableRow,
  query: tableQuery,
  objects(row, server) {
    const table = readTable(row);
    const constraints = tableConstraints(table);
    return [tableObject(table, server, constraints.within), ...defaultObjects(table, server), ...constraints.objects];
  },
});
