// Shell types that were declared and never filled in. A shell that only has to be there before the functions of a base or range type
// is a part of that type's own definition.
import { defineKind } from '../kind.js';
import { typeColumns, typeDraft, typeKey, typeName, typeRow, typesOfUser } from '../type-object.js';

export const shellType = defineKind({
  name: 'shell-type',
  only: ['pg_type:p'],
  row: typeRow,
  query: () => `SELECT ${typeColumns} ${typesOfUser()} AND t.typtype = 'p' AND NOT t.typisdefined ORDER BY t.oid`,
  objects(type) {
    const create = `CREATE TYPE ${typeName(type)}`;
    return [
      {
        ...typeDraft(type, { kind: 'shell-type' }),
        steps: [{ key: typeKey(type), facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
