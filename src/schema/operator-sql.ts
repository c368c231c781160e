// SQL expressions that operators, their classes and families, access methods and languages share: names of functions and operators
// that these call, as their CREATE statements want them.

/** Expression: a function's qualified name without its arguments, which the statement implies; null for 0.
 *  @param oid SQL expression of type regproc or oid */
export function routineName(oid: string): string {
  return (
    `(SELECT quote_ident(fn.nspname) || '.' || quote_ident(f.proname) FROM pg_proc f JOIN pg_namespace fn ON fn.oid = f.pronamespace ` +
    `WHERE f.oid = ${oid})`
  );
}

/** Expression: `OPERATOR("schema".=)`; null for 0.
 *  @param oid SQL expression of the operator's OID */
export function operatorName(oid: string): string {
  return (
    `(SELECT 'OPERATOR(' || quote_ident(opn.nspname) || '.' || op.oprname || ')' FROM pg_operator op ` +
    `JOIN pg_namespace opn ON opn.oid = op.oprnamespace WHERE op.oid = ${oid})`
  );
}
