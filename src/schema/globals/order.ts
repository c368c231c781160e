// The order in which memberships can be granted again. From 16 on each has a grantor, who must hold ADMIN OPTION on the role at that
// moment, himself by another membership in it. Pure.
// https://www.postgresql.org/docs/16/sql-grant.html#SQL-GRANT-DESCRIPTION-ROLES
import type { Membership } from '../../model/globals.js';

export interface Ordered {
  readonly memberships: readonly Membership[];
  /** Those whose grantor never comes to hold ADMIN OPTION. */
  readonly unreachable: readonly Membership[];
}

/** Role by role in the given order, within a role in rounds: first what needs no grantor, then what those with ADMIN OPTION have granted. */
export function orderMemberships(memberships: readonly Membership[]): Ordered {
  const byRole = new Map<string, Membership[]>();
  for (const membership of memberships) byRole.set(membership.role, [...(byRole.get(membership.role) ?? []), membership]);
  const ordered: Membership[] = [];
  const unreachable: Membership[] = [];
  for (const members of byRole.values()) {
    const admins = new Set<string>();
    let waiting = members;
    for (let ready = members; ready.length > 0; ) {
      ready = waiting.filter(({ grantor }) => grantor === null || admins.has(grantor));
      waiting = waiting.filter((membership) => !ready.includes(membership));
      ordered.push(...ready);
      for (const { member, admin } of ready) if (admin) admins.add(member);
    }
    unreachable.push(...waiting);
  }
  return { memberships: ordered, unreachable };
}
