// Enum types. Labels are written in their sort order, which is not the order of their OIDs after ALTER TYPE ... ADD VALUE BEFORE.
// Label OIDs change, and with them the hash partition a row belongs to: the data side loads those through the root.
import * as z from 'zod';
import { quoteLiteral } from '../../pg/quote.js';
import { defineKind } from '../kind.js';
import { typeColumns, typeDraft, typeKey, typeName, typeRow, typesOfUser } from '../type-object.js';

const row = typeRow.extend({ labels: z.array(z.string()) });

export const enumType = defineKind({
  name: 'enum',
  only: ['pg_type:e'],
  row,
  query: () => `
    SELECT ${typeColumns},
           ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
      ${typesOfUser()} AND t.typtype = 'e'
     ORDER BY t.oid`,
  objects(type) {
    const create = `CREATE TYPE ${typeName(type)} AS ENUM (${type.labels.map(quoteLiteral).join(', ')})`;
    return [
      {
        steps: [{ key: typeKey(type), facet: 'definition', section: 'pre-data', statements: () => [create] }],
        ...typeDraft(type, { kind: 'enum' }),
      },
    ];
  },
});
