// Privileges on tables of a source before 17, which knows no MAINTAIN: on a newer server nobody may have more than was granted, and an
// owner who gave up another privilege must still be able to VACUUM.
import { expect, test } from 'vitest';
import { allPrivileges, changeAcl } from '#dist/schema/facets/acl.js';

const old = ['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];
const target = { on: 'ON TABLE "t"', all: allPrivileges('r'), owner: 'o' };
const item = (grantee: string, plain: readonly string[]) => ({ grantor: 'o', grantee, plain, grantable: [] });
const texts = (privileges: readonly string[], kept: readonly string[]) =>
  changeAcl({ target, base: [item('o', privileges)], actual: [item('o', kept), item('p', privileges)] }).map(({ text }) => text);

test('one by one where the source knows no MAINTAIN', () => {
  expect(texts(old, ['SELECT'])).toEqual([
    `REVOKE ${old.join(', ')} ON TABLE "t" FROM "o"`,
    'GRANT SELECT ON TABLE "t" TO "o"',
    `GRANT ${old.join(', ')} ON TABLE "t" TO "p"`,
  ]);
});

test('ALL where the source knows it', () => {
  expect(texts([...old, 'MAINTAIN'], ['SELECT'])).toEqual([
    'REVOKE ALL ON TABLE "t" FROM "o"',
    'GRANT SELECT ON TABLE "t" TO "o"',
    'GRANT ALL ON TABLE "t" TO "p"',
  ]);
});
