// Foreign data wrappers, with or without handler and validator. Those of an extension come with it.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { genericOptions, optionsClause, optionsSql } from '../generic-options.js';
import { defineKind, key } from '../kind.js';
import { firstNormalOid, isNotMember } from '../ours.js';

const routine = z.object({ nspname: z.string(), proname: z.string() }).nullable();

const row = z.object({
  oid: z.number(),
  fdwname: z.string(),
  rolname: z.string(),
  handler: routine,
  validator: routine,
  options: genericOptions,
});

const routineSql = (oid: string): string =>
  `(SELECT json_build_object('nspname', n.nspname, 'proname', p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = ${oid})`;

export const foreignDataWrapper = defineKind<z.infer<typeof row>>({
  name: 'foreign data wrapper',
  only: ['pg_foreign_data_wrapper'],
  row,
  query: () => `
    SELECT w.oid, w.fdwname, pg_get_userbyid(w.fdwowner) AS rolname, ${routineSql('w.fdwhandler')} AS handler,
           ${routineSql('w.fdwvalidator')} AS validator, ${optionsSql('w.fdwoptions')} AS options
      FROM pg_foreign_data_wrapper w
     WHERE w.oid >= ${firstNormalOid} AND ${isNotMember('pg_foreign_data_wrapper', 'w.oid')}
     ORDER BY w.oid`,
  objects({ oid, fdwname, rolname, handler, validator, options }) {
    const self = key('pg_foreign_data_wrapper', oid);
    const ddl = `FOREIGN DATA WRAPPER ${quoteIdentifier(fdwname)}`;
    const routines = [
      handler === null ? '' : ` HANDLER ${qualifiedName(handler.nspname, handler.proname)}`,
      validator === null ? '' : ` VALIDATOR ${qualifiedName(validator.nspname, validator.proname)}`,
    ];
    const create = `CREATE ${ddl}${routines.join('')}${optionsClause(options)}`;
    const steps = [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }] as const;
    return [{ key: self, kind: 'foreign data wrapper', name: fdwname, steps, ddl, grant: ddl, owner: rolname }];
  },
});
