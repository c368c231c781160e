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

/** Keys of the catalog rows that an expression names, built-in ones among them. */
export function referencedBy(nodeTree: string): Key[] {
  const keys = new Set<Key>();
  for (const [, field = '', oid] of nodeTree.matchAll(/:(\w+) (\d+)/g)) {
    const catalog = fields.find(([, pattern]) => pattern.test(field))?.[0];
    if (catalog !== undefined) keys.add(key(catalog, Number(oid)));
  }
  return [...keys];
}
