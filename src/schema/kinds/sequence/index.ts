// Sequences: by themselves, owned by a column (serial), and those of identity columns, which are made by the table's ALTER COLUMN ... ADD
// GENERATED. Their values are read and set by facets/sequence-values.ts.
import { qualifiedName, quoteIdentifier } from '../../../pg/quote.js';
import { defineKind, type Key, key, type ObjectDraft, type Server, type StepDraft } from '../../kind.js';
import { type Sequence, type SequenceColumn, sequenceQuery, sequenceRow } from './row.js';

const typeBounds: Readonly<Record<string, readonly [min: string, max: string]>> = {
  smallint: ['-32768', '32767'],
  integer: ['-2147483648', '2147483647'],
  bigint: ['-9223372036854775808', '9223372036854775807'],
};

/** Bounds are stated where the type and the direction do not imply them. */
function options({ type, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle }: Sequence): string {
  const [typeMin, typeMax] = typeBounds[type] ?? [];
  const descending = seqincrement.startsWith('-');
  return [
    `START WITH ${seqstart}`,
    `INCREMENT BY ${seqincrement}`,
    seqmin === (descending ? typeMin : '1') ? 'NO MINVALUE' : `MINVALUE ${seqmin}`,
    seqmax === (descending ? '-1' : typeMax) ? 'NO MAXVALUE' : `MAXVALUE ${seqmax}`,
    `CACHE ${seqcache}`,
    ...(seqcycle ? ['CYCLE'] : []),
  ].join(' ');
}

function sequenceName({ nspname, relname }: Sequence): string {
  return qualifiedName(nspname, relname);
}

function tableKey({ oid }: SequenceColumn): Key {
  return key('pg_class', oid);
}

function draft(sequence: Sequence): Omit<ObjectDraft, 'steps'> {
  const { column } = sequence;
  const ddl = `SEQUENCE ${sequenceName(sequence)}`;
  return {
    key: key('pg_class', sequence.oid),
    kind: 'sequence',
    schema: sequence.nspname,
    name: sequence.relname,
    ...(column === null || column.member ? {} : { parent: tableKey(column) }),
    ddl,
    grant: ddl,
  };
}

/** Without ONLY: on a partitioned table it reaches the partitions. Its owner is always the table's. */
function identity(sequence: Sequence, column: SequenceColumn, { version }: Server): ObjectDraft {
  const self = key('pg_class', sequence.oid);
  const name = sequenceName(sequence);
  const table = qualifiedName(column.nspname, column.relname);
  const generated = column.attidentity === 'a' ? 'ALWAYS' : 'BY DEFAULT';
  const statements = [
    `ALTER TABLE ${table} ALTER COLUMN ${quoteIdentifier(column.attname)} ADD GENERATED ${generated} AS IDENTITY ` +
      `(SEQUENCE NAME ${name} ${options(sequence)})`,
  ];
  // The sequence is made as the table is. Before 15 sequences were always logged.
  if (version >= 150000 && sequence.relpersistence !== column.persistence) {
    statements.push(`ALTER SEQUENCE ${name} SET ${sequence.relpersistence === 'u' ? 'UNLOGGED' : 'LOGGED'}`);
  }
  // An identity column must be NOT NULL already, which may come later than its table (table/inherit.ts).
  const needs = [tableKey(column), ...(column.notnull === null ? [] : [key('pg_constraint', column.notnull)])];
  return { steps: [{ key: self, facet: 'definition', section: 'pre-data', needs, statements: () => statements }], ...draft(sequence) };
}

/** OWNED BY wants both to have the same owner. It stands apart from CREATE SEQUENCE, which comes before the table whose default calls
 *  nextval() of it. */
function ownedBy(sequence: Sequence, column: SequenceColumn): StepDraft {
  const self = key('pg_class', sequence.oid);
  const table = tableKey(column);
  const target = `${qualifiedName(column.nspname, column.relname)}.${quoteIdentifier(column.attname)}`;
  return {
    key: `${self}/owned-by`,
    facet: 'definition',
    section: 'pre-data',
    needs: [self, table, `${self}/owner`, `${table}/owner`],
    statements: () => [`ALTER SEQUENCE ${sequenceName(sequence)} OWNED BY ${target}`],
  };
}

function plain(sequence: Sequence): ObjectDraft {
  const self = key('pg_class', sequence.oid);
  const { column } = sequence;
  const create =
    `CREATE ${sequence.relpersistence === 'u' ? 'UNLOGGED ' : ''}SEQUENCE ${sequenceName(sequence)} ` +
    `AS ${sequence.type} ${options(sequence)}`;
  return {
    owner: sequence.owner,
    steps: [
      { key: self, facet: 'definition', section: 'pre-data', statements: () => [create] },
      ...(column === null ? [] : [ownedBy(sequence, column)]),
    ],
    charge: ({ type }) => (type === 'a' && column !== null ? `${self}/owned-by` : self),
    ...draft(sequence),
  };
}

export const sequence = defineKind<Sequence>({
  name: 'sequence',
  only: ['pg_class:S'],
  row: sequenceRow,
  query: () => sequenceQuery,
  objects: (row, server) => [row.column?.deptype === 'i' ? identity(row, row.column, server) : plain(row)],
});
