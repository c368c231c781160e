// Memberships in an order in which every grantor already holds ADMIN OPTION, whatever the order that they were read in.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Membership } from '#dist/model/globals.js';
import { orderMemberships } from '#dist/schema/globals/order.js';

const grant = (member: string, grantor: string | null, admin = false, role = 'r'): Membership => ({
  ...{ role, member, grantor, admin, inherit: true, set: true },
});

test('a chain against the alphabet', () => {
  const chain = [grant('a', 'b'), grant('b', 'c', true), grant('c', 'd', true), grant('d', null, true)];
  expect(orderMemberships(chain)).toEqual({ memberships: chain.toReversed(), unreachable: [] });
});

test('ADMIN OPTION on one role says nothing of another one', () => {
  const other = grant('b', 'a', false, 'other');
  expect(orderMemberships([grant('a', null, true), other])).toEqual({ memberships: [grant('a', null, true)], unreachable: [other] });
});

test('grants that only rest on each other are unreachable', () => {
  const circle = [grant('a', 'b', true), grant('b', 'a', true)];
  expect(orderMemberships(circle)).toEqual({ memberships: [], unreachable: circle });
});

test('whatever can be granted one after the other is ordered, from any order', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const steps = fc.array(fc.record({ role: fc.constantFrom('x', 'y'), member: names, by: fc.nat(), admin: fc.boolean() }), {
    maxLength: 25,
  });
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat()), (made, random) => {
      const granted: Membership[] = [];
      for (const { role, member, by, admin } of made) {
        const admins = granted.filter((one) => one.role === role && one.admin).map((one) => one.member);
        const grantor = [null, ...admins][by % (admins.length + 1)] ?? null;
        if (!granted.some((one) => one.role === role && one.member === member && one.grantor === grantor)) {
          granted.push(grant(member, grantor, admin, role));
        }
      }
      const shuffled = granted
        .map((one) => ({ one, place: random.next().value }))
        .sort((a, b) => a.place - b.place)
        .map(({ one }) => one);
      const { memberships, unreachable } = orderMemberships(shuffled);
      expect(unreachable).toEqual([]);
      expect(memberships).toHaveLength(granted.length);
      for (const [at, { role, grantor }] of memberships.entries()) {
        if (grantor !== null)
          expect(memberships.slice(0, at).some((one) => one.role === role && one.member === grantor && one.admin)).toBe(true);
      }
    }),
  );
});
