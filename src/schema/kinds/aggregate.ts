// Aggregates: the server has no function that deparses them, so the statement is put together from pg_aggregate.
import * as z from 'zod';
import { qualifiedName, quoteLiteral } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { inputTypes, routinesOfUser } from '../routine.js';

const modifies = { r: 'READ_ONLY', s: 'SHAREABLE', w: 'READ_WRITE' } as const;
const parallels = { s: 'SAFE', r: 'RESTRICTED', u: 'UNSAFE' } as const;

const name = z.string().nullable();
const modify = z.enum(['r', 's', 'w']);

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  proname: z.string(),
  owner: z.string(),
  /** Input types, separated by commas; empty for `(*)`. */
  types: z.string(),
  /** With names, modes, ORDER BY and VARIADIC. */
  arguments: z.string(),
  proparallel: z.enum(['s', 'r', 'u']),
  /** n normal, o ordered-set, h hypothetical-set */
  aggkind: z.enum(['n', 'o', 'h']),
  aggtransfn: z.string(),
  stype: z.string(),
  aggtransspace: z.number(),
  agginitval: z.string().nullable(),
  aggfinalfn: name,
  aggfinalextra: z.boolean(),
  aggfinalmodify: modify,
  aggcombinefn: name,
  aggserialfn: name,
  aggdeserialfn: name,
  aggmtransfn: name,
  aggminvtransfn: name,
  mstype: name,
  aggmtransspace: z.number(),
  aggminitval: z.string().nullable(),
  aggmfinalfn: name,
  aggmfinalextra: z.boolean(),
  aggmfinalmodify: modify,
  sortop: name,
});

type Aggregate = z.infer<typeof row>;

function functionName(column: string): string {
  return `CASE WHEN a.${column}::oid <> 0 THEN a.${column}::text END AS ${column}`;
}

function options(aggregate: Aggregate): string {
  const list: string[] = [];
  const put = (option: string, value: string | null) => {
    if (value !== null) list.push(`${option} = ${value}`);
  };
  const literal = (value: string | null) => (value === null ? null : quoteLiteral(value));
  const size = (bytes: number) => (bytes === 0 ? null : String(bytes));
  // Ordered-set aggregates may by default change their state in the final function, others not.
  const defaultModify = aggregate.aggkind === 'n' ? 'r' : 'w';
  const unlessDefault = (value: Aggregate['aggfinalmodify']) => (value === defaultModify ? null : modifies[value]);
  put('SFUNC', aggregate.aggtransfn);
  put('STYPE', aggregate.stype);
  put('SSPACE', size(aggregate.aggtransspace));
  put('INITCOND', literal(aggregate.agginitval));
  put('FINALFUNC', aggregate.aggfinalfn);
  if (aggregate.aggfinalextra) list.push('FINALFUNC_EXTRA');
  put('FINALFUNC_MODIFY', unlessDefault(aggregate.aggfinalmodify));
  put('COMBINEFUNC', aggregate.aggcombinefn);
  put('SERIALFUNC', aggregate.aggserialfn);
  put('DESERIALFUNC', aggregate.aggdeserialfn);
  put('MSFUNC', aggregate.aggmtransfn);
  put('MINVFUNC', aggregate.aggminvtransfn);
  put('MSTYPE', aggregate.mstype);
  put('MSSPACE', size(aggregate.aggmtransspace));
  put('MINITCOND', literal(aggregate.aggminitval));
  put('MFINALFUNC', aggregate.aggmfinalfn);
  if (aggregate.aggmfinalextra) list.push('MFINALFUNC_EXTRA');
  put('MFINALFUNC_MODIFY', unlessDefault(aggregate.aggmfinalmodify));
  put('SORTOP', aggregate.sortop);
  if (aggregate.proparallel !== 'u') put('PARALLEL', parallels[aggregate.proparallel]);
  if (aggregate.aggkind === 'h') list.push('HYPOTHETICAL');
  return list.join(', ');
}

const functionColumns = [
  'aggfinalfn',
  'aggcombinefn',
  'aggserialfn',
  'aggdeserialfn',
  'aggmtransfn',
  'aggminvtransfn',
  'aggmfinalfn',
] as const;

export const aggregate = defineKind({
  name: 'aggregate',
  only: ['pg_proc:a'],
  row,
  query: () => `
    SELECT p.oid, n.nspname, p.proname, pg_get_userbyid(p.proowner) AS owner, ${inputTypes} AS types,
           pg_get_function_arguments(p.oid) AS arguments, p.proparallel, a.aggkind, a.aggtransfn::text,
           format_type(a.aggtranstype, NULL) AS stype, a.aggtransspace, a.agginitval,
           ${functionColumns.map(functionName).join(', ')},
           a.aggfinalextra, a.aggfinalmodify, a.aggmfinalextra, a.aggmfinalmodify, a.aggmtransspace, a.aggminitval,
           CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END AS mstype,
           'OPERATOR(' || quote_ident(onsp.nspname) || '.' || o.oprname || ')' AS sortop
      ${routinesOfUser(`'a'`, {
        joins: `JOIN pg_aggregate a ON a.aggfnoid = p.oid
      LEFT JOIN pg_operator o ON o.oid = a.aggsortop
      LEFT JOIN pg_namespace onsp ON onsp.oid = o.oprnamespace`,
      })}
     ORDER BY p.oid`,
  objects(aggregate) {
    const { oid, nspname, proname, owner, types } = aggregate;
    const self = key('pg_proc', oid);
    const bare = qualifiedName(nspname, proname);
    const create = `CREATE AGGREGATE ${bare}(${aggregate.arguments || '*'}) (${options(aggregate)})`;
    return [
      {
        key: self,
        kind: 'aggregate',
        schema: nspname,
        name: `${proname}(${types || '*'})`,
        // The list of types alone identifies ordered-set aggregates, too; GRANT knows neither ORDER BY nor the star.
        ddl: `AGGREGATE ${bare}(${types || '*'})`,
        grant: `FUNCTION ${bare}(${types})`,
        owner,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
