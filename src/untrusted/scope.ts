// What has been admitted so far of an archive, statement by statement: what later ones may refer to. A reference to anything else keeps a
// statement out, whatever the archive says of its needs.

import type { Allowance } from './allowance.js';
import { labelOf, type Qualified, sqlOf } from './cursor.js';
import { NotAdmitted } from './tokens.js';

export interface Relation {
  /** Undefined: not known (a view that was allowed). */
  readonly columns: ReadonlySet<string> | undefined;
  /** A materialized view, or a table: what can have indexes. */
  readonly table: boolean;
}

/** Something that is no statement of its own, and was left out of one: a default, a check. */
export interface LeftPart {
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  readonly sql: string;
}

export class Scope {
  readonly #allow: ReadonlySet<Allowance>;
  readonly #schemas = new Set(['public']);
  readonly #types = new Set<string>();
  readonly #relations = new Map<string, Relation>();
  readonly #sequences = new Set<string>();
  /** With the table of each. */
  readonly #indexes = new Map<string, Qualified>();
  readonly #partitions = new Set<string>();
  readonly #lostConstraints = new Set<string>();
  #undo: (() => void)[] = [];
  /** Of the step that is being read. */
  parts: LeftPart[] = [];
  /** Why no expression of the statement that is being read can be judged. */
  mistrust: string | undefined;

  /** The archive has casts of its own, which are left out. */
  readonly hasCasts: boolean;

  constructor(allow: ReadonlySet<Allowance>, { hasCasts = false }: { readonly hasCasts?: boolean } = {}) {
    this.#allow = allow;
    this.hasCasts = hasCasts;
  }

  allows(allowance: Allowance): boolean {
    return this.#allow.has(allowance);
  }

  /** A new step is read. */
  begin(mistrust: string | undefined): void {
    this.parts = [];
    this.#undo = [];
    this.mistrust = mistrust;
  }

  /** Nothing of what the step made is there: one of its statements was refused. */
  rollback(): void {
    for (const undo of this.#undo) undo();
  }

  #add(set: Set<string>, item: string): void {
    if (set.has(item)) throw new NotAdmitted('something of its name is there already');
    set.add(item);
    this.#undo.push(() => set.delete(item));
  }

  addSchema(name: string): void {
    this.#add(this.#schemas, name);
  }

  addType(type: Qualified): void {
    this.#add(this.#types, sqlOf(type));
  }

  addSequence(sequence: Qualified): void {
    this.#add(this.#sequences, sqlOf(sequence));
  }

  addIndex(index: Qualified, table: Qualified): void {
    if (this.#indexes.has(sqlOf(index))) throw new NotAdmitted('something of its name is there already');
    this.#indexes.set(sqlOf(index), table);
    this.#undo.push(() => this.#indexes.delete(sqlOf(index)));
  }

  addPartition(table: Qualified): void {
    this.#add(this.#partitions, sqlOf(table));
  }

  /** @throws NotAdmitted for an index of a table that is no partition here */
  indexOfPartition(name: Qualified): Qualified {
    const table = this.#indexes.get(sqlOf(this.index(name)));
    if (table === undefined || !this.#partitions.has(sqlOf(table))) throw new NotAdmitted('its table is no partition any more');
    return name;
  }

  /** Its rows are a type. */
  addRelation(name: Qualified, relation: Relation): void {
    this.#add(this.#types, sqlOf(name));
    this.#relations.set(sqlOf(name), relation);
    this.#undo.push(() => this.#relations.delete(sqlOf(name)));
  }

  /** @throws NotAdmitted where the archive's schema was not made */
  inSchema(name: Qualified): Qualified {
    if (!this.#schemas.has(name.schema)) throw new NotAdmitted(`schema ${name.schema} is left out, or not in the archive`);
    return name;
  }

  hasType(type: Qualified): boolean {
    // Types of an extension are made by its script.
    return this.#types.has(sqlOf(type)) || this.allows('extensions');
  }

  hasRelation(name: Qualified): boolean {
    return this.#relations.has(sqlOf(name));
  }

  /** @throws NotAdmitted */
  relation(name: Qualified): Relation {
    const found = this.#relations.get(sqlOf(name));
    if (found === undefined) throw new NotAdmitted(`table ${labelOf(name)} is left out, or not in the archive`);
    return found;
  }

  /** @throws NotAdmitted */
  sequence(name: Qualified): Qualified {
    if (!this.#sequences.has(sqlOf(name))) throw new NotAdmitted(`sequence ${labelOf(name)} is left out, or not in the archive`);
    return name;
  }

  /** @throws NotAdmitted */
  index(name: Qualified): Qualified {
    if (!this.#indexes.has(sqlOf(name))) throw new NotAdmitted(`index ${labelOf(name)} is left out, or not in the archive`);
    return name;
  }

  /** @throws NotAdmitted where the table has no such column, or it was left out */
  column(table: Qualified, column: string): string {
    checkColumn(this.relation(table), column);
    return column;
  }

  /** A check that was left out; whatever inherits it has it under the same name. */
  leaveOutConstraint(name: string): void {
    this.#lostConstraints.add(name);
  }

  /** @throws NotAdmitted for the name of a check that was left out */
  refuseConstraint(name: string): void {
    if (this.#lostConstraints.has(name)) throw new NotAdmitted(`constraint ${name} is left out`);
  }

  leaveOut(part: LeftPart): void {
    this.parts.push(part);
  }
}

/** @throws NotAdmitted */
export function checkColumn({ columns }: Pick<Relation, 'columns'>, column: string): void {
  if (columns !== undefined && !columns.has(column)) throw new NotAdmitted(`column ${column} is left out, or not there`);
}
