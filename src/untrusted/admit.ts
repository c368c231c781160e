// Cuts the catalog of an archive from somebody one does not trust down to plain tables: pure, a catalog goes in, a smaller one comes out whose
// statements were all written here, with a list of what was left out and why. Neither kinds nor needs of the archive are believed: a
// statement is what a grammar of this folder reads in it, and refers to nothing but what was admitted before.
import type { Catalog, CatalogObject, CatalogTable, Step } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { renumber } from '../selection/renumber.js';
import { type Allowance, allowanceFor, isWhatItSays } from './allowance.js';
import { Cursor, type Qualified } from './cursor.js';
import { grammarFor } from './grammars.js';
import { reasonFor } from './reasons.js';
import { Scope } from './scope.js';
import type { Subject } from './statement.js';
import { NotAdmitted, statementLimit } from './tokens.js';

/** What runs code, or might. */
export interface Suspect {
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  /** As the archive has it. */
  readonly statements: readonly string[];
}

export interface Admitted {
  readonly catalog: Catalog;
  readonly leftOut: readonly Suspect[];
  /** In, because that was allowed. */
  readonly allowed: readonly Suspect[];
}

/** What a schema of people has at most; a catalog of millions only keeps the reader busy. */
const limits = { objects: 200_000, steps: 1_000_000, tables: 100_000 } as const;

/** For before anything is done with it. @throws TidemarkError ARCHIVE_INVALID where a catalog is larger than any that people have, or not in UTF-8 */
export function checkLimits(catalog: Catalog): void {
  for (const [what, most] of Object.entries(limits) as [keyof typeof limits, number][]) {
    if (catalog[what].length > most) throw refused(`its catalog has more than ${most} ${what}`);
  }
  if ((catalog.textEncoding ?? 'UTF8') !== 'UTF8') throw refused(`its names are in ${catalog.textEncoding}, and only UTF8 can be judged`);
}

/** @throws TidemarkError as checkLimits */
export function admit(catalog: Catalog, allow: ReadonlySet<Allowance> = new Set()): Admitted {
  checkLimits(catalog);
  return new Admission(catalog, allow).run();
}

function refused(why: string): TidemarkError {
  return new TidemarkError('ARCHIVE_INVALID', `restore an untrusted archive: ${why}`, {
    hint: 'if you trust whoever made it, restore it without --untrusted',
  });
}

/** Without one of these, what needs it cannot be. What else a plain statement needs was left out of it. */
const structure: ReadonlySet<string> = new Set(['schema', 'enum', 'composite', 'domain', 'sequence', 'table', 'constraint', 'index']);

const hidden: ReadonlySet<string> = new Set(['cast', 'operator-class']);

/** Of these it matters, too, when a later step is out: that which attaches them to the whole. */
const attached: ReadonlySet<string> = new Set(['table', 'constraint', 'index']);

class Admission {
  readonly #catalog: Catalog;
  readonly #allow: ReadonlySet<Allowance>;
  readonly #scope: Scope;
  readonly #kept = new Map<number, Step>();
  /** Steps of definitions that are out. */
  readonly #lost = new Set<number>();
  /** Objects whose first definition is out. */
  readonly #out = new Set<number>();
  /** Objects of which some part of the definition is out. */
  readonly #partly = new Set<number>();
  readonly #defined = new Set<number>();
  readonly #leftOut: Suspect[] = [];
  readonly #allowed: Suspect[] = [];
  readonly #settings = new Map<string, Set<number>>();

  constructor(catalog: Catalog, allow: ReadonlySet<Allowance>) {
    this.#catalog = catalog;
    this.#allow = allow;
    this.#scope = new Scope(allow, { hasCasts: catalog.objects.some(({ kind }) => kind === 'cast') });
  }

  run(): Admitted {
    for (const step of this.#catalog.steps) this.#step(step);
    const tables = this.#tables();
    const catalog = this.#cut(tables);
    return { catalog, leftOut: [...this.#leftOut, ...this.#summaries()], allowed: this.#allowed };
  }

  #step(step: Step): void {
    const object = this.#object(step.object);
    if (step.facet === 'owner' || step.facet === 'privilege' || step.facet === 'security-label') this.#setAside(step);
    else if (this.#isOut(object)) this.#lose(step);
    else this.#judge(object, step);
  }

  #judge(object: CatalogObject, step: Step): void {
    this.#scope.begin(this.#mistrust(step));
    try {
      this.#refuseNeeds(step);
      const statements = this.#read(object, step);
      this.#kept.set(step.id, { ...plain(step), statements });
      if (step.facet === 'definition') this.#defined.add(object.id);
      for (const { kind, name, reason, sql } of this.#scope.parts) this.#leftOut.push({ kind, name, reason, statements: [sql] });
    } catch (error) {
      if (!(error instanceof NotAdmitted)) throw error;
      this.#scope.rollback();
      this.#leave(object, step, error.message);
    }
  }

  #object(id: number): CatalogObject {
    const object = this.#catalog.objects[id];
    if (object === undefined) throw new TidemarkError('INTERNAL', `admit a catalog: object ${id} is not there`);
    return object;
  }

  #setAside({ facet, object }: Step): void {
    const objects = this.#settings.get(facet) ?? new Set();
    this.#settings.set(facet, objects.add(object));
  }

  #isOut(object: CatalogObject): boolean {
    for (let at: CatalogObject | undefined = object; at !== undefined; ) {
      if (this.#out.has(at.id)) return true;
      // A sequence stands by itself.
      at = at.parent === undefined || at.kind === 'sequence' ? undefined : this.#object(at.parent);
    }
    return false;
  }

  #lose({ id, facet, object }: Step): void {
    if (facet === 'definition') this.#lost.add(id);
    if (!this.#defined.has(object)) this.#out.add(object);
  }

  #leave(object: CatalogObject, step: Step, reason: string): void {
    const first = !this.#defined.has(object.id) && step.facet === 'definition';
    this.#partly.add(object.id);
    if (step.facet === 'definition') this.#lost.add(step.id);
    if (first) this.#out.add(object.id);
    const what = step.facet === 'definition' ? '' : `${step.facet} of `;
    this.#leftOut.push({ kind: `${what}${object.kind}`, name: this.#label(object), reason, statements: step.statements });
  }

  #label({ schema, name, parent }: CatalogObject): string {
    const own = schema === undefined ? name : `${schema}.${name}`;
    const above = parent === undefined ? undefined : this.#catalog.objects[parent];
    return above === undefined || above.kind !== 'table' ? own : `${above.schema}.${above.name}: ${name}`;
  }

  /** What is out may be what an expression, or a key, goes through without a trace of it in the text. */
  #mistrust({ needs }: Step): string | undefined {
    const found = needs.find((need) => this.#lost.has(need) && hidden.has(this.#kindOf(need) ?? ''));
    return found === undefined ? undefined : `it may use the ${this.#kindOf(found)} of the archive, which is left out`;
  }

  #kindOf(step: number): string | undefined {
    return this.#catalog.objects[this.#catalog.steps[step]?.object ?? -1]?.kind;
  }

  /** @throws NotAdmitted */
  #refuseNeeds({ needs, object, completes }: Step): void {
    const { kind } = this.#object(object);
    const raw = allowanceFor(kind) !== undefined;
    const all = completes === undefined ? needs : [...needs, completes];
    const lacking = all.find((need) => this.#lost.has(need) && (raw || this.#isStructure(need)));
    const needed = lacking === undefined ? undefined : this.#catalog.steps[lacking];
    if (needed === undefined || needed.object === object) return;
    const other = this.#object(needed.object);
    throw new NotAdmitted(`it needs ${other.kind} ${this.#label(other)}, which is left out`);
  }

  #isStructure(need: number): boolean {
    const { object = -1 } = this.#catalog.steps[need] ?? {};
    const kind = this.#kindOf(need) ?? '';
    return structure.has(kind) && (attached.has(kind) || this.#out.has(object));
  }

  /** The statements to be run. @throws NotAdmitted */
  #read(object: CatalogObject, step: Step): readonly string[] {
    const grammar = grammarFor(object, step);
    if (grammar === undefined) return this.#readAllowed(object, step);
    const subject = this.#subject(object);
    if ((object.kind === 'index' || object.kind === 'constraint') && this.#scope.mistrust !== undefined)
      throw new NotAdmitted(this.#scope.mistrust);
    return step.statements.flatMap((text) => grammar({ cursor: new Cursor(text), scope: this.#scope, subject }) ?? []);
  }

  #subject({ schema, name, parent }: CatalogObject): Subject {
    const above = parent === undefined ? undefined : this.#object(parent);
    const table: Qualified | undefined = above?.schema === undefined ? undefined : { schema: above.schema, name: above.name };
    return { schema, name, parent: table };
  }

  #readAllowed(object: CatalogObject, step: Step): readonly string[] {
    const { kind, schema, name } = object;
    const allowance = allowanceFor(kind);
    if (allowance === undefined || !this.#allow.has(allowance)) throw new NotAdmitted(reasonFor(kind));
    const { statements, facet } = step;
    if (facet === 'comment') throw new NotAdmitted('comments on code are not needed');
    for (const text of statements) {
      if (!isWhatItSays(kind, text) || text.includes('\0') || text.length > statementLimit || /\p{Surrogate}/u.test(text))
        throw new NotAdmitted(`its SQL is not that of what it is listed as, a ${kind}`);
    }
    if (schema !== undefined && kind.endsWith('view') && !this.#scope.hasRelation({ schema, name }))
      this.#scope.addRelation({ schema, name }, { columns: undefined, table: kind === 'materialized view' });
    if (facet === 'definition') this.#allowed.push({ kind, name: this.#label(object), reason: reasonFor(kind), statements });
    return statements;
  }

  /** Those whose rows can go into a table that was admitted. */
  #tables(): readonly CatalogTable[] {
    return this.#catalog.tables.flatMap((table): CatalogTable[] => {
      const { object, schema, name, columns, loadInto, largeObjects, statistics, extensionCondition, ...rest } = table;
      const { id, kind, schema: spoken, name: called } = this.#object(object);
      if (this.#isOut(this.#object(id))) return [];
      if (largeObjects !== undefined || statistics) {
        const reason = statistics ? 'they would steer how queries are planned' : reasonFor('large object');
        this.#leftOut.push({ kind: statistics ? 'statistics' : 'large objects', name: 'all of the archive', reason, statements: [] });
        return [];
      }
      const made = kind === 'table' && this.#defined.has(id) && spoken === schema && called === name && extensionCondition === undefined;
      const known = made ? this.#scope.relation({ schema, name }).columns : undefined;
      if (!made || columns.some((column) => known !== undefined && !known.has(column.name))) {
        const reason = 'they are of another table, or of other columns, than the one that was made';
        this.#leftOut.push({ kind: 'rows of table', name: `${schema}.${name}`, reason, statements: [] });
        return [];
      }
      // Through the partitioned table, only where the partition is one of it.
      const whole =
        loadInto !== undefined && this.#defined.has(loadInto) && this.#object(loadInto).kind === 'table' && !this.#partly.has(id);
      return [{ ...rest, object, schema, name, columns, ...(whole ? { loadInto } : {}) }];
    });
  }

  #cut(tables: readonly CatalogTable[]): Catalog {
    // What a step needs, it needs itself: nothing has to be handed on from the steps that are out.
    const isKept = (id: number): boolean => this.#kept.has(id);
    const steps = [...this.#kept.values()].map((step) => ({ ...step, needs: step.needs.filter(isKept) }));
    const acting = new Set(steps.map(({ object }) => object));
    const objects = this.#catalog.objects.filter(({ id }) => acting.has(id)).map(({ drop: _, oids: __, ...object }) => object);
    const { rowEncoding } = this.#catalog;
    const whole: Catalog = { objects: this.#catalog.objects, steps, tables, ...(rowEncoding === undefined ? {} : { rowEncoding }) };
    return renumber(whole, { objects, steps });
  }

  /** Owners and privileges: a line for each sort of them. */
  #summaries(): readonly Suspect[] {
    const reasons = {
      owner: 'all of it belongs to the role that restores it',
      privilege: 'they are for roles that the archive names',
      'security-label': 'they are told to modules of the server',
    } as const;
    return Object.entries(reasons).flatMap(([facet, reason]): Suspect[] => {
      const count = this.#settings.get(facet)?.size ?? 0;
      return count === 0 ? [] : [{ kind: facet, name: `of ${count} ${count === 1 ? 'object' : 'objects'}`, reason, statements: [] }];
    });
  }
}

/** A step without what the archive says beyond its statements. */
function plain({ id, object, section, facet, needs, completes }: Step): Omit<Step, 'statements'> {
  return { id, object, section, facet, needs, ...(completes === undefined ? {} : { completes }) };
}
