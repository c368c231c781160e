// Functions and operators of pg_catalog that expressions of an untrusted archive may use: they read no file, no table and no setting, change
// nothing, and take no longer than their arguments are long. So regular expressions, powers, repeat() and their like are not among them.
// https://www.postgresql.org/docs/current/functions.html

export const safeFunctions: ReadonlySet<string> = new Set([
  ...['now', 'clock_timestamp', 'statement_timestamp', 'transaction_timestamp', 'timezone', 'date_trunc', 'date_part', 'age', 'date'],
  ...['to_timestamp', 'make_date', 'make_time', 'make_timestamp', 'make_timestamptz', 'make_interval', 'isfinite', 'justify_days'],
  ...['gen_random_uuid', 'uuidv4', 'uuidv7', 'random'],
  ...[
    'abs',
    'ceil',
    'ceiling',
    'floor',
    'round',
    'trunc',
    'sign',
    'mod',
    'div',
    'sqrt',
    'ln',
    'log',
    'scale',
    'trim_scale',
    'width_bucket',
  ],
  ...['length', 'char_length', 'character_length', 'octet_length', 'bit_length', 'lower', 'upper', 'initcap', 'btrim', 'ltrim', 'rtrim'],
  ...['left', 'right', 'substr', 'substring', 'strpos', 'position', 'starts_with', 'reverse', 'split_part', 'concat', 'concat_ws', 'ascii'],
  ...['chr', 'replace', 'translate', 'encode', 'decode', 'to_hex', 'md5', 'sha224', 'sha256', 'sha384', 'sha512', 'hashtext', 'get_byte'],
  ...['numeric', 'int2', 'int4', 'int8', 'float4', 'float8', 'text', 'bpchar', 'varchar', 'timestamp', 'timestamptz', 'interval', 'bool'],
  ...['array_length', 'array_ndims', 'array_lower', 'array_upper', 'array_position', 'array_append', 'array_remove', 'cardinality'],
  ...['json_typeof', 'jsonb_typeof', 'jsonb_array_length', 'json_array_length', 'jsonb_build_object', 'jsonb_build_array', 'to_jsonb'],
  ...['jsonb_extract_path', 'jsonb_extract_path_text', 'jsonb_strip_nulls', 'json_build_object', 'json_build_array'],
  ...[
    'isempty',
    'lower_inc',
    'upper_inc',
    'lower_inf',
    'upper_inf',
    'numrange',
    'int4range',
    'int8range',
    'daterange',
    'tsrange',
    'tstzrange',
  ],
  ...['num_nulls', 'num_nonnulls', 'family', 'masklen', 'host', 'point'],
]);

/** They look like functions and are words of SQL. */
export const safeForms = ['COALESCE', 'GREATEST', 'LEAST', 'NULLIF'] as const;

/** Values without parentheses. */
export const safeValues = [
  ...(['NULL', 'true', 'false', 'CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME', 'LOCALTIMESTAMP', 'LOCALTIME'] as const),
] as const;

/** Between two values. */
export const safeOperators: ReadonlySet<string> = new Set([
  ...['+', '-', '*', '/', '%', '=', '<>', '<', '>', '<=', '>=', '||', '&', '|', '#', '<<', '>>'],
  ...['~~', '!~~', '~~*', '!~~*', '->', '->>', '#>', '#>>', '@>', '<@', '&&', '?', '?|', '?&'],
]);

/** Operator classes of indexes other than the default. */
export const safeOperatorClasses: ReadonlySet<string> = new Set([
  ...[
    'text_ops',
    'text_pattern_ops',
    'varchar_ops',
    'varchar_pattern_ops',
    'bpchar_ops',
    'bpchar_pattern_ops',
    'jsonb_ops',
    'jsonb_path_ops',
  ],
  ...['array_ops', 'inet_ops', 'cidr_ops', 'range_ops', 'network_ops', 'kd_point_ops', 'quad_point_ops', 'tsvector_ops'],
  ...['int8_minmax_multi_ops', 'int4_minmax_multi_ops', 'int8_bloom_ops', 'int4_bloom_ops', 'text_bloom_ops', 'bytea_bloom_ops'],
]);
