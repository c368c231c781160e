// Primary keys and unique constraints as the index that is most of their work, made beside the other indexes of the table, and the constraint
// that takes it over in no time: ADD CONSTRAINT alone would have the table to itself for as long as the index takes. Pure.
// https://www.postgresql.org/docs/current/sql-altertable.html (ADD table_constraint_using_index)
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';
import { largeBytes } from './schedule.js';

const name = '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)';
const list = `\\(${name}(?:, ${name})*\\)`;
/** As the archive has them, and with nothing else to them. */
const pattern = new RegExp(
  `^(ALTER TABLE ONLY (${name}\\.${name}) ADD CONSTRAINT (${name}) (?:PRIMARY KEY|UNIQUE)) (${list}(?: INCLUDE ${list})?)$`,
);

/** A primary key that takes over an index makes NOT NULL that came from a parent the table's own. */
function hasParent({ partitionOf, inherits = [] }: CatalogObject): boolean {
  return partitionOf !== undefined || inherits.length > 0;
}

/** The catalog with further steps behind its own, and `steps` with them. What needs a constraint waits for the part with its id, as before.
 *  Not of partitioned tables, whose constraints take over no index, nor of tables with parents.
 *  @param weightOf bytes of the rows of a table, by object id */
export function splitKeys(
  catalog: Catalog,
  steps: readonly Step[],
  weightOf: (relation: number) => bigint,
): { readonly catalog: Catalog; readonly steps: readonly Step[] } {
  const withRows = new Set(catalog.tables.map(({ object }) => object));
  const fits = ({ object, statements }: Step): boolean => {
    const { kind, parent = -1 } = catalog.objects[object] as CatalogObject;
    const table = catalog.objects[parent];
    return (
      statements.length === 1 &&
      kind === 'constraint' &&
      weightOf(parent) >= largeBytes &&
      withRows.has(parent) &&
      table !== undefined &&
      !hasParent(table)
    );
  };
  const indexes: Step[] = [];
  const constraints = steps.map((step): Step => {
    const match = fits(step) ? pattern.exec(step.statements[0] ?? '') : null;
    if (match === null) return step;
    const [, add = '', table = '', constraint = '', columns = ''] = match;
    const id = catalog.steps.length + indexes.length;
    indexes.push({ ...step, id, statements: [`CREATE UNIQUE INDEX ${constraint} ON ONLY ${table} ${columns}`] });
    return { ...step, statements: [`${add} USING INDEX ${constraint}`], needs: [...step.needs, id] };
  });
  return { catalog: { ...catalog, steps: [...catalog.steps, ...indexes] }, steps: [...constraints, ...indexes] };
}
