// What a restore does for the server as a whole (--globals), decided from what the archive has and what the target has: roles converge,
// as after pg_dumpall, but whoever is connected stays as he is, and so do the bootstrap superuser and tablespaces that are there. Pure.
import type { GlobalRole, Globals, Membership, Tablespace } from '../model/globals.js';
import {
  alterRole,
  attributeClauses,
  commentOn,
  createRole,
  createTablespace,
  grantMembership,
  labelsOn,
  newRole,
  roleSettings,
  tablespaceProperties,
} from '../pg/globals-sql.js';
import { quoteIdentifier } from '../pg/quote.js';

export interface GlobalStatement {
  /** For messages: `role app`. */
  readonly what: string;
  /** As it is sent; with `passwordOf` as it may be shown. */
  readonly text: string;
  /** It sets this role's password, which has no place in a plan that is printed. */
  readonly passwordOf?: string;
}

/** What becomes of roles, memberships, privileges on parameters and tablespaces; what is the same already is in none of the lists. */
export interface GlobalsReport {
  /** `role app`, `membership of ann in app, granted by eve`, `tablespace fast` */
  readonly created: readonly string[];
  readonly altered: readonly string[];
  readonly left: readonly { readonly name: string; readonly reason: string }[];
}

export interface GlobalsAction {
  readonly action: 'globals';
  /** All of them or none. */
  readonly statements: readonly GlobalStatement[];
  /** Each on its own: CREATE TABLESPACE allows no transaction. */
  readonly tablespaces: readonly { readonly create: readonly GlobalStatement[]; readonly properties: readonly GlobalStatement[] }[];
  readonly report: GlobalsReport;
}

export interface GlobalsTarget {
  readonly globals: Globals;
  /** The roles that we are connected as: by login, and by SET ROLE. */
  readonly connected: readonly string[];
}

export function planGlobals(wanted: Globals, target: GlobalsTarget): GlobalsAction {
  const planner = new Planner(wanted, target);
  for (const role of wanted.roles) planner.role(role);
  planner.settings(wanted.settings);
  for (const membership of wanted.memberships) planner.membership(membership);
  for (const parameter of wanted.parameters) planner.parameter(parameter);
  for (const tablespace of wanted.tablespaces) planner.tablespace(tablespace);
  return planner.action();
}

/** Roles and tablespaces that will be there once the action was carried out. */
export function comingWith({ report }: GlobalsAction): { readonly roles: ReadonlySet<string>; readonly tablespaces: ReadonlySet<string> } {
  const made = (kind: string) => new Set(report.created.flatMap((name) => (name.startsWith(kind) ? [name.slice(kind.length)] : [])));
  return { roles: made('role '), tablespaces: made('tablespace ') };
}

class Planner {
  readonly #target: GlobalsTarget;
  readonly #roles: ReadonlyMap<string, GlobalRole>;
  /** Roles of the source that the target does not have and does not get. */
  readonly #missing: ReadonlySet<string>;
  readonly #statements: GlobalStatement[] = [];
  /** They may name roles that come later. */
  readonly #settings: GlobalStatement[] = [];
  readonly #later: GlobalStatement[] = [];
  readonly #tablespaces: GlobalsAction['tablespaces'][number][] = [];
  readonly #report = { created: [] as string[], altered: [] as string[], left: [] as { name: string; reason: string }[] };

  constructor({ roles }: Globals, target: GlobalsTarget) {
    this.#target = target;
    this.#roles = new Map(target.globals.roles.map((role) => [role.rolname, role]));
    this.#missing = new Set(roles.flatMap(({ rolname, bootstrap }) => (bootstrap && !this.#roles.has(rolname) ? [rolname] : [])));
  }

  action(): GlobalsAction {
    const statements = [...this.#statements, ...this.#settings, ...this.#later];
    return { action: 'globals', statements, tablespaces: this.#tablespaces, report: this.#report };
  }

  role(role: GlobalRole): void {
    const { rolname } = role;
    const what = `role ${rolname}`;
    const current = this.#roles.get(rolname);
    if (this.#missing.has(rolname)) {
      const here = this.#target.globals.roles.find(({ bootstrap }) => bootstrap)?.rolname ?? 'another one';
      this.#report.left.push({ name: what, reason: `it is the superuser that the source was made with; on the target that is ${here}` });
      return;
    }
    const changes = changesOf(role, current);
    const isConnected = this.#target.connected.includes(rolname);
    if (current !== undefined && (isConnected || current.bootstrap)) {
      const different = Object.entries(changes).flatMap(([name, texts]) => (texts.length > 0 ? [name] : []));
      const why = isConnected ? 'it is the role that is connected' : 'it is the superuser that the target was made with';
      if (different.length > 0)
        this.#report.left.push({ name: what, reason: `${why}; in the archive it has other ${different.join(', ')}` });
      return;
    }
    const say = (text: string): GlobalStatement => ({ what, text });
    this.#statements.push(
      ...(current === undefined ? [say(createRole(rolname))] : []),
      ...changes.attributes.map(say),
      ...changes.password.map((text) => ({ what, text, passwordOf: rolname })),
      ...changes.comment.map(say),
      ...changes.labels.map(labelOf(what)),
    );
    this.#settings.push(...changes.settings.map(say));
    if (current === undefined) this.#report.created.push(what);
    else if (Object.values(changes).some((texts) => texts.length > 0)) this.#report.altered.push(what);
  }

  settings(entries: readonly string[]): void {
    const what = 'settings of all roles';
    const texts = roleSettings(null, notAmong(entries, this.#target.globals.settings));
    this.#settings.push(...texts.map((text) => ({ what, text })));
    if (texts.length > 0) this.#report.altered.push(what);
  }

  membership(membership: Membership): void {
    const { role, member, grantor } = membership;
    const what = `membership of ${member} in ${role}${grantor === null ? '' : `, granted by ${grantor}`}`;
    if (this.#lacks(what, [role, member, ...(grantor === null ? [] : [grantor])])) return;
    const there = this.#target.globals.memberships.filter((other) => other.role === role && other.member === member);
    if (there.some((other) => isSame(membership, other))) return;
    this.#later.push({ what, text: grantMembership(membership) });
    const isChange = there.some((other) => other.grantor === grantor);
    (isChange ? this.#report.altered : this.#report.created).push(what);
  }

  parameter({ name, statements, roles }: Globals['parameters'][number]): void {
    const what = `privileges on parameter ${name}`;
    const there = this.#target.globals.parameters.find((other) => other.name === name);
    if (isEqual(there?.statements, statements) || this.#lacks(what, roles)) return;
    this.#later.push(...statements.map((text) => ({ what, text })));
    this.#report.altered.push(what);
  }

  tablespace(tablespace: Tablespace): void {
    const { spcname, owner, roles } = tablespace;
    const what = `tablespace ${spcname}`;
    const there = this.#target.globals.tablespaces.find((other) => other.spcname === spcname);
    if (there !== undefined) {
      const different = differences(tablespace, there);
      const reason = `it is there, and in the archive it has another ${different.join(', ')}`;
      if (different.length > 0) this.#report.left.push({ name: what, reason });
      return;
    }
    const without = {
      ...(owner !== null && this.#lacks(`owner of ${what}`, [owner]) ? { owner: null } : {}),
      ...(this.#lacks(`privileges on ${what}`, roles) ? { privileges: [] } : {}),
    };
    const made = { ...tablespace, ...without };
    const say = (text: string): GlobalStatement => ({ what, text });
    const labels = labelsOn(`TABLESPACE ${quoteIdentifier(spcname)}`, tablespace.labels).map(labelOf(what));
    const properties = [...tablespaceProperties({ ...made, labels: [] }).map(say), ...labels];
    this.#tablespaces.push({ create: createTablespace(made).map(say), properties });
    this.#report.created.push(what);
  }

  /** Says so where one of the roles will not be there. */
  #lacks(name: string, roles: readonly string[]): boolean {
    const lost = roles.find((role) => this.#missing.has(role));
    if (lost !== undefined) this.#report.left.push({ name, reason: `the target has no role ${lost}` });
    return lost !== undefined;
  }
}

/** Messages of the server about labels are about their provider. */
function labelOf(what: string): (text: string) => GlobalStatement {
  return (text) => ({ what: `security label of ${what}`, text });
}

type Changes = Readonly<Record<'attributes' | 'password' | 'comment' | 'labels' | 'settings', readonly string[]>>;

/** Statements by what they change. Of an existing role nothing is taken away that the archive's has not: comments, settings. */
function changesOf(role: GlobalRole, current: GlobalRole | undefined): Changes {
  const { rolname, rolpassword, comment, labels, settings } = role;
  const on = `ROLE ${quoteIdentifier(rolname)}`;
  return {
    attributes: alterRole(rolname, attributeClauses(role, current ?? newRole)),
    password: rolpassword == null || rolpassword === current?.rolpassword ? [] : [`ALTER ${on} WITH PASSWORD '...'`],
    comment: comment === current?.comment ? [] : commentOn(on, comment),
    labels: labelsOn(
      on,
      labels.filter((label) => !current?.labels.some((other) => isEqual(label, other))),
    ),
    settings: roleSettings(rolname, notAmong(settings, current?.settings ?? [])),
  };
}

/** Options and grantors exist from 16 on: what one side does not know does not differ. */
function isSame(wanted: Membership, there: Membership): boolean {
  const alike = (one: boolean | null, other: boolean | null): boolean => one === null || other === null || one === other;
  const byTheSame = wanted.grantor === there.grantor || wanted.inherit === null || there.inherit === null;
  return wanted.admin === there.admin && alike(wanted.inherit, there.inherit) && alike(wanted.set, there.set) && byTheSame;
}

function differences(wanted: Tablespace, there: Tablespace): readonly string[] {
  const properties = ['location', 'options', 'comment', 'labels', 'privileges'] as const;
  return [
    ...(wanted.owner === null || wanted.owner === there.owner ? [] : ['owner']),
    ...properties.filter((name) => !isEqual(wanted[name], there[name])),
  ];
}

function notAmong(entries: readonly string[], others: readonly string[]): readonly string[] {
  return entries.filter((entry) => !others.includes(entry));
}

/** Of plain data with its keys in the same order. */
function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
