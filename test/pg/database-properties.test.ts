// What belongs to a database itself: every property that ALTER DATABASE and its like can change is altered, one at a time, and must be
// noticed; what all of them together made must come back from the statements.
import { expect, test } from 'vitest';
import { propertyStatements, readProperties } from '#dist/pg/database-properties.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { createDatabase, createRole, patience, uniqueName } from '../server/index.js';

// Cases 10, 11, 12, 13, 14.
const alterations = [
  'ALTER DATABASE {db} OWNER TO pg_monitor',
  `COMMENT ON DATABASE {db} IS 'it''s ours'`,
  `COMMENT ON DATABASE {db} IS NULL`,
  'ALTER DATABASE {db} CONNECTION LIMIT 7',
  'ALTER DATABASE {db} IS_TEMPLATE true',
  'ALTER DATABASE {db} SET TABLESPACE {space}',
  'REVOKE CONNECT ON DATABASE {db} FROM PUBLIC',
  'GRANT CREATE ON DATABASE {db} TO pg_read_all_data WITH GRANT OPTION',
  'REVOKE GRANT OPTION FOR CREATE ON DATABASE {db} FROM pg_read_all_data',
  'REVOKE TEMPORARY ON DATABASE {db} FROM pg_monitor',
  `ALTER DATABASE {db} SET work_mem = '8MB'`,
  `ALTER DATABASE {db} SET work_mem = '9MB'`,
  `ALTER DATABASE {db} SET search_path = a, "B, ""b""", '', public`,
  `ALTER DATABASE {db} SET "my.setting" = 'it''s, "quoted"'`,
  'ALTER DATABASE {db} SET default_transaction_read_only = on',
  'ALTER DATABASE {db} SET session_replication_role = replica',
  'ALTER DATABASE {db} RESET work_mem',
  `ALTER ROLE {role} IN DATABASE {db} SET work_mem = '5MB'`,
  `ALTER ROLE {role} IN DATABASE {db} SET temp_tablespaces = '', pg_default`,
  'ALTER ROLE {role} IN DATABASE {db} RESET work_mem',
];

test('each property is noticed, and all come back', async () => {
  await using role = await createRole({ version: 18 });
  const space = uniqueName();
  await using admin = await createDatabase({ version: 18 });
  await using session = await openSession(resolveConnection(admin.url, patience), { use: 'write' });
  const named = (sql: string, db: string) =>
    sql.replaceAll('{db}', `"${db}"`).replaceAll('{role}', `"${role.name}"`).replaceAll('{space}', `"${space}"`);
  await session.query('SET allow_in_place_tablespaces = on');
  await session.query(`CREATE TABLESPACE "${space}" LOCATION ''`);
  try {
    await using source = await createDatabase({ version: 18 });
    await using target = await createDatabase({ version: 18 });
    let before = await readProperties(session, source.name);
    for (const alteration of alterations) {
      await session.query(named(alteration, source.name));
      const after = await readProperties(session, source.name);
      expect(after, alteration).not.toEqual(before);
      before = after;
    }
    if (before === undefined) throw new Error('the database is gone');
    await session.query(named('ALTER DATABASE {db} SET TABLESPACE {space}', target.name));
    for (const statement of propertyStatements(target.name, before)) await session.query(statement);
    expect(await readProperties(session, target.name)).toEqual(before);
    for (const { name } of [source, target]) await session.query(`ALTER DATABASE "${name}" IS_TEMPLATE false`);
  } finally {
    await session.query(`DROP TABLESPACE "${space}"`);
  }
});
