// What belongs to a whole server rather than to one database: roles, who is a member of which, privileges on parameters, tablespaces.
// In an archive where that was asked for; `pg_dumpall --globals-only` has the same. Rows keep the names of their catalog columns.

/** A SECURITY LABEL. */
export interface Label {
  readonly provider: string;
  readonly label: string;
}

export interface GlobalRole {
  readonly rolname: string;
  readonly rolsuper: boolean;
  readonly rolinherit: boolean;
  readonly rolcreaterole: boolean;
  readonly rolcreatedb: boolean;
  readonly rolcanlogin: boolean;
  readonly rolreplication: boolean;
  readonly rolbypassrls: boolean;
  readonly rolconnlimit: number;
  /** As the server prints it in UTC, in ISO 8601's order; 'infinity', too. */
  readonly rolvaliduntil: string | null;
  /** The hash that the server stores. Absent: not taken along. Null: the role has no password. */
  readonly rolpassword?: string | null;
  /** The superuser that the cluster was made with: every server has one, under whatever name. */
  readonly bootstrap?: true;
  readonly comment: string | null;
  readonly labels: readonly Label[];
  /** `ALTER ROLE ... SET` for all databases: `name=value` as pg_db_role_setting has it. */
  readonly settings: readonly string[];
}

/** `member` is a member of `role`. */
export interface Membership {
  readonly role: string;
  readonly member: string;
  /** Null: the bootstrap superuser, or nobody knows: before 16 it could be anybody. */
  readonly grantor: string | null;
  readonly admin: boolean;
  /** Null before 16: then it is as the member's INHERIT attribute says, and SET is allowed. */
  readonly inherit: boolean | null;
  readonly set: boolean | null;
}

/** Changed privileges on a parameter (15 and later). */
export interface ParameterPrivileges {
  readonly name: string;
  readonly statements: readonly string[];
  /** That the statements name. */
  readonly roles: readonly string[];
}

export interface Tablespace {
  readonly spcname: string;
  /** Null: not taken along. */
  readonly owner: string | null;
  /** Of its directory on the server; empty for one that lies inside of the data directory. */
  readonly location: string;
  /** `name=value` */
  readonly options: readonly string[];
  readonly comment: string | null;
  readonly labels: readonly Label[];
  readonly privileges: readonly string[];
  /** That the privileges name. */
  readonly roles: readonly string[];
}

export interface Globals {
  /** By name. All but the server's own, which begin with pg_. */
  readonly roles: readonly GlobalRole[];
  /** `ALTER ROLE ALL SET` for all databases. */
  readonly settings: readonly string[];
  /** In an order in which each grantor already may grant. */
  readonly memberships: readonly Membership[];
  readonly parameters: readonly ParameterPrivileges[];
  /** By name. All but the server's own. */
  readonly tablespaces: readonly Tablespace[];
}
