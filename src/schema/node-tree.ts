// Finds out what an expression refers to from its stored form (pg_node_tree as text), where pg_depend has it only together with the
// rest of the object: the defaults of a function's arguments, apart from its body. Subqueries do not occur there.
import { type Key, key } from './kind.js';

/** Fields of expression nodes that hold OIDs, by the catalog they point to. */
const fields: readonly (readonly [catalog: string, pattern: RegExp])[] = [
  ['pg_proc', /^(funcid|opfuncid|elemfuncid|hashfuncid|negfuncid)$/],
  ['pg_operator', /^opno$/],
  ['pg_type', /^(\w+type|\w+_typeid|typeId|funcresulttype)$/],
  ['pg_collation', /^(\w*collid|\w*collOid|resultcollid)$/],
];

/** Types whose constants are OIDs (regclass, ...), by the catalog they point to. */
const references: ReadonlyMap<string, string> = new Map([
  ['24', 'pg_proc'],
  ['2202', 'pg_proc'],
  ['2203', 'pg_operator'],
  ['2204', 'pg_operator'],
  ['2205', 'pg_class'],
  ['2206', 'pg_type'],
  ['3734', 'pg_ts_config'],
  ['3769', 'pg_ts_dict'],
  ['4089', 'pg_namespace'],
  ['4191', 'pg_collation'],
]);

/** Keys of the catalog rows that an expression names, built-in ones among them. */
export function referencedBy(nodeTree: string): Key[] {
  const keys = new Set<Key>();
  for (const [, field = '', oid] of nodeTree.matchAll(/:(\w+) (\d+)/g)) {
    const catalog = fields.find(([, pattern]) => pattern.test(field))?.[0];
    if (catalog !== undefined) keys.add(key(catalog, Number(oid)));
  }
  for (const [, type = '', bytes = ''] of nodeTree.matchAll(/:consttype (\d+) [^{}[\]]*:constvalue 4 \[ ([-\d ]+)\]/g)) {
    const catalog = references.get(type);
    if (catalog !== undefined) keys.add(key(catalog, oidOfDatum(bytes.trim().split(' ').map(Number))));
  }
  return [...keys];
}

/** A datum is printed byte by byte, signed, as it lies in the server's memory: an OID takes the first four of eight where the lowest
 *  byte comes first, the last four elsewhere. */
function oidOfDatum(bytes: readonly number[]): number {
  const first = bytes.slice(0, 4);
  const ordered = first.some((byte) => byte !== 0) ? first.reverse() : bytes.slice(4);
  return ordered.reduce((oid, byte) => oid * 256 + (byte & 255), 0);
}
