// What a user may let in although it runs code of the archive's, by the words of --allow. For whole objects the beginning of the statement
// says what it is: the server takes one statement at a time, and a statement that begins so makes nothing else. Pure.

export const allowances = ['extensions', 'functions', 'views', 'triggers', 'expressions'] as const;

/** 'expressions': defaults, checks, generated columns, keys of partitions and parts of indexes that call anything but what is built in. */
export type Allowance = (typeof allowances)[number];

interface WholeObjects {
  readonly allowance: Allowance;
  readonly kinds: readonly string[];
  readonly statement: RegExp;
}

const identifier = '"(?:[^"]|"")+"';

const wholes: readonly WholeObjects[] = [
  { allowance: 'extensions', kinds: ['extension'], statement: /^CREATE EXTENSION (?:IF NOT EXISTS )?"/ },
  {
    allowance: 'functions',
    kinds: ['function', 'procedure', 'aggregate'],
    statement: /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|AGGREGATE) "/,
  },
  { allowance: 'views', kinds: ['view'], statement: /^CREATE (?:OR REPLACE )?VIEW "/ },
  { allowance: 'views', kinds: ['materialized view'], statement: /^(?:CREATE|REFRESH) MATERIALIZED VIEW "/ },
  {
    allowance: 'triggers',
    kinds: ['trigger'],
    statement: new RegExp(
      `^(?:CREATE (?:CONSTRAINT )?TRIGGER "|ALTER TABLE (?:ONLY )?${identifier}\\.${identifier} (?:ENABLE|DISABLE)(?: REPLICA| ALWAYS)? TRIGGER ")`,
    ),
  },
];

/** What would let objects of this kind in; undefined: nothing does. */
export function allowanceFor(kind: string): Allowance | undefined {
  return wholes.find(({ kinds }) => kinds.includes(kind))?.allowance;
}

/** True where the statement can do no more than what the allowance for its kind says. */
export function isWhatItSays(kind: string, statement: string): boolean {
  return wholes.some(({ kinds, statement: begins }) => kinds.includes(kind) && begins.test(statement));
}
