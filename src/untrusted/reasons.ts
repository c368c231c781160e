// Why objects of a kind are left out of a restore from strangers, for people. A kind that is not here is one that nobody has judged.

const code = 'it is code';
const connects = 'it connects to other servers';

const reasons: Readonly<Record<string, string>> = {
  'access-method': 'it names code of the server',
  aggregate: 'it calls functions',
  'base-type': 'reading a value of it calls functions',
  cast: 'it changes what expressions of others mean, and calls functions',
  collation: 'its rules are read by a library',
  conversion: 'it calls a function',
  'event trigger': 'it calls a function for every command of its event',
  extension: 'making it runs a script, and its functions are code',
  'foreign data wrapper': connects,
  'foreign table': connects,
  function: code,
  language: 'it calls functions',
  'large object': 'large objects keep the numbers that the archive says',
  'materialized view': 'its query runs when it is refreshed',
  operator: 'it changes what expressions of others mean, and calls functions',
  'operator-class': 'it calls functions wherever an index uses it',
  'operator-family': 'it is for operators and functions',
  'operator-family-member': 'it changes what indexes call',
  policy: 'its expression runs with every query of the table, and it names roles',
  procedure: code,
  publication: connects,
  'publication schema': connects,
  'publication table': connects,
  range: 'making it makes functions of names that the archive chooses',
  rule: 'it turns commands into others',
  server: connects,
  'shell-type': 'it is for functions only',
  statistics: 'its expressions run with ANALYZE',
  subscription: connects,
  'text search configuration': 'it calls dictionaries',
  'text search dictionary': 'it reads files of the server',
  'text search parser': 'it calls functions',
  'text search template': 'it calls functions',
  transform: 'it calls functions',
  trigger: 'it calls a function for rows that change',
  'user mapping': connects,
  view: 'its query runs when it is read',
};

export function reasonFor(kind: string): string {
  return reasons[kind] ?? `objects of the kind ${kind} are not known to be plain`;
}
