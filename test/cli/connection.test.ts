// Ways to a real server that asks for passwords and has TLS: where the password comes from, what each sslmode does, a Unix socket; and
// that a password which is planted everywhere turns up nowhere.
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../pg/certificate.js';
import { connect } from '../server/connect.js';
import { startServer, type TestServer } from '../server/index.js';
import { serverAccount } from '../server/places.js';
import { runCli, startCli } from './run-cli.js';

const canary = 'Canary-7f:3a/@%';
const encoded = encodeURIComponent(canary);

let server: TestServer;
let port: string;
let home: string;
let archive: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  archive = join(home, 'archives', 'a.tar.zst');
  await mkdir(join(home, 'archives'));
  await mkdir(join(home, 'server'));
  await chmod(home, 0o755);
  const { certificate, key } = selfSigned('localhost');
  const places = { hba: join(home, 'server/hba'), certificate: join(home, 'server/certificate'), key: join(home, 'server/key') };
  await writeFile(
    places.hba,
    [
      'local all all trust',
      'host all postgres all trust',
      'hostssl all tls_only all trust',
      'hostnossl all plain_only all trust',
      'host all md5_user all md5',
      'host all app all scram-sha-256',
      '',
    ].join('\n'),
  );
  await writeFile(places.certificate, certificate);
  await writeFile(places.key, key, { mode: 0o600 });
  const account = await serverAccount();
  if (account) await chown(places.key, account.uid, account.gid);
  server = await startServer({
    settings: {
      hba_file: places.hba,
      ssl: 'on',
      ssl_cert_file: places.certificate,
      ssl_key_file: places.key,
      listen_addresses: 'localhost',
    },
  });
  port = new URL(server.url).port;
  await using client = await connect(server.url.replace('127.0.0.1', 'localhost'));
  await client.query(`CREATE ROLE app LOGIN PASSWORD '${canary}'`);
  await client.query('CREATE ROLE tls_only LOGIN; CREATE ROLE plain_only LOGIN');
  await client.query(`SET password_encryption = 'md5'; CREATE ROLE md5_user LOGIN PASSWORD '${canary}'`);
  await client.query('CREATE TABLE t (id int); INSERT INTO t VALUES (1); GRANT SELECT ON t TO public; CREATE TABLE secret (id int)');
  await writeFile(join(home, '.pgpass'), `localhost:${port}:postgres:app:${canary.replace(/[:\\]/g, '\\$&')}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await server.stop();
  await rm(home, { recursive: true });
});

const show = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => runCli(['schema', '-t', 't', ...args], { env });
const works = { exitCode: 0, stderr: '', stdout: expect.stringContaining('CREATE TABLE "public"."t"') };
const failed = (exitCode: number, message: RegExp) => ({ exitCode, stdout: '', stderr: expect.stringMatching(message) });

describe('the password', () => {
  const url = (): string => `postgres://app@localhost:${port}/postgres`;
  test('in the URL', async () => {
    expect(await show(['-d', `postgres://app:${encoded}@localhost:${port}/postgres`])).toMatchObject(works);
  });
  test('in DATABASE_URL', async () => {
    expect(await show([], { DATABASE_URL: `postgres://app:${encoded}@localhost:${port}/postgres` })).toMatchObject(works);
  });
  test('in PGPASSWORD', async () => {
    expect(await show(['-d', url()], { PGPASSWORD: canary })).toMatchObject(works);
  });
  test('in a keyword string', async () => {
    expect(await show(['-d', `host=localhost port=${port} user=app dbname=postgres password='${canary}'`])).toMatchObject(works);
  });
  test('in .pgpass, and all else in variables', async () => {
    expect(await show([], { HOME: home, PGHOST: 'localhost', PGPORT: port, PGUSER: 'app', PGDATABASE: 'postgres' })).toMatchObject(works);
    expect(await show(['-d', url()], { PGPASSFILE: join(home, '.pgpass') })).toMatchObject(works);
  });
  test('for a role that is stored with md5', async () => {
    expect(await show(['-d', `postgres://md5_user:${encoded}@localhost:${port}/postgres`])).toMatchObject(works);
  });
  test('is none', async () => {
    const none = failed(
      3,
      /^tidemark: connect to app@localhost:\d+\/postgres: the server asks for a password, and none was given\n {2}hint: /,
    );
    expect(await show(['-d', url()])).toMatchObject(none);
    const md5 = failed(3, /the server asks for a password, and none was given\n {2}hint: /);
    expect(await show(['-d', url().replace('app', 'md5_user')])).toMatchObject(md5);
  });
  test('is wrong', async () => {
    const wrong = failed(3, /^tidemark: connect to app@localhost:\d+\/postgres: password authentication failed for user "app"\n {2}hint: /);
    expect(await show(['-d', url()], { PGPASSWORD: 'no' })).toMatchObject(wrong);
    expect(await show(['-d', `postgres://app:no@localhost:${port}/postgres`], { PGPASSWORD: canary })).toMatchObject(wrong);
  });
});

describe('TLS', () => {
  const as = (user: string, parameters: string): string => `postgres://${user}@localhost:${port}/postgres?${parameters}`;
  const file = (): string => `sslrootcert=${join(home, 'server/certificate')}`;
  test.each(['', 'sslmode=prefer', 'sslmode=require', 'sslmode=allow', 'ssl=true'])(
    'reaches a role that needs it with %j',
    async (parameters) => {
      expect(await show(['-d', as('tls_only', parameters)])).toMatchObject(works);
    },
  );
  test.each(['', 'sslmode=prefer', 'sslmode=disable', 'sslmode=allow'])(
    'is left out for a role that must not have it with %j',
    async (parameters) => {
      expect(await show(['-d', as('plain_only', parameters)])).toMatchObject(works);
    },
  );
  test('is not given up where it is required, nor used where it is not wanted', async () => {
    expect(await show(['-d', as('plain_only', 'sslmode=require')])).toMatchObject(failed(3, /no pg_hba.conf entry/));
    expect(await show(['-d', as('tls_only', 'sslmode=disable')])).toMatchObject(failed(3, /no pg_hba.conf entry/));
    expect(await show(['-d', as('tls_only', '')], { PGSSLMODE: 'disable' })).toMatchObject(failed(3, /no pg_hba.conf entry/));
  });
  test('checks the certificate', async () => {
    const self = failed(3, /^tidemark: connect to [^\n]*self-signed certificate\n {2}hint: check sslmode and sslrootcert/);
    expect(await show(['-d', as('tls_only', 'sslmode=verify-full')])).toMatchObject(self);
    expect(await show(['-d', as('tls_only', `sslmode=verify-full&${file()}`)])).toMatchObject(works);
    expect(await show(['-d', as('tls_only', `sslmode=verify-ca&${file()}`)])).toMatchObject(works);
    expect(
      await show(['-d', as('tls_only', '')], { PGSSLMODE: 'verify-full', PGSSLROOTCERT: join(home, 'server/certificate') }),
    ).toMatchObject(works);
  });
  test('checks the name in it with verify-full, and only then', async () => {
    const address = as('tls_only', '').replace('localhost', '127.0.0.1');
    expect(await show(['-d', `${address}sslmode=verify-full&${file()}`])).toMatchObject(failed(3, /127\.0\.0\.1[^\n]*altnames/));
    expect(await show(['-d', `${address}sslmode=verify-ca&${file()}`])).toMatchObject(works);
    expect(await show(['-d', `${address}sslmode=require&${file()}`])).toMatchObject(works);
  });
  test('with require and authorities of another, they are asked', async () => {
    const other = join(home, 'other');
    await writeFile(other, selfSigned('localhost').certificate);
    expect(await show(['-d', as('tls_only', `sslmode=require&sslrootcert=${other}`)])).toMatchObject(failed(3, /certificate/));
  });
});

test('a Unix socket', async () => {
  expect(await show(['-d', `postgres:///postgres?host=${server.directory}&port=${port}&user=app`])).toMatchObject(works);
  expect(await show([], { PGHOST: server.directory, PGPORT: port, PGUSER: 'app', PGDATABASE: 'postgres' })).toMatchObject(works);
  expect(await show(['-d', `host=${server.directory} port=${port} user=app dbname=postgres`])).toMatchObject(works);
});

describe('a password that is planted everywhere turns up nowhere', () => {
  const url = (rest = ''): string => `postgres://app:${encoded}@localhost:${port}/postgres${rest}`;
  const wrongs: Readonly<Record<string, () => readonly string[]>> = {
    'a snapshot': () => ['snapshot', '-f', archive, '-t', 't'],
    'a wrong query': () => ['snapshot', '-f', archive, '--height-query', 'SELECT nope'],
    'a table that may not be read': () => ['snapshot', '-f', archive],
    'no such pattern': () => ['snapshot', '-f', archive, '-t', 'nope'],
    'no such directory': () => ['snapshot', '-f', join(home, 'no/x')],
    'no such option': () => ['snapshot', '-f', archive, '--nope'],
    'no such archive': () => ['restore', join(home, 'none')],
    'a database with other tables': () => ['restore', archive],
    'a new database that may not be made': () => ['restore', archive, '-C'],
    'a swap that may not be': () => ['restore', archive, '--swap'],
    'a plan': () => ['restore', archive, '--data-only', '--dry-run'],
    'a check of the archive': () => ['verify', archive],
    'what is in it': () => ['show', archive],
  };
  const places: Readonly<Record<string, () => { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }>> = {
    'the URL': () => ({ args: ['-d', url()], env: {} }),
    'a URL of another port': () => ({ args: ['-d', url().replace(port, '1')], env: {} }),
    'a URL with a wrong option': () => ({ args: ['-d', url('?sslmode=x')], env: {} }),
    'a URL of another database': () => ({ args: ['-d', url().replace(/postgres$/, 'nowhere')], env: {} }),
    'a URL without encoding': () => ({ args: ['-d', `postgres://app:${canary}@localhost:${port}/postgres`], env: {} }),
    'another scheme': () => ({ args: ['-d', url().replace('postgres:', 'mysql:')], env: {} }),
    'a wrong keyword': () => ({ args: ['-d', `host=localhost pass='${canary}'`], env: {} }),
    DATABASE_URL: () => ({ args: [], env: { DATABASE_URL: url() } }),
    PGPASSWORD: () => ({ args: ['-d', url().replace(`:${encoded}`, '')], env: { PGPASSWORD: canary } }),
    '.pgpass': () => ({ args: ['-d', url().replace(`:${encoded}`, '')], env: { HOME: home } }),
    'PGPASSWORD, which is wrong': () => ({ args: ['-d', url().replace(`:${encoded}`, '')], env: { PGPASSWORD: `${canary}x` } }),
  };
  const thorough = new Set(['the URL', 'PGPASSWORD']);
  const secrets = [canary, encoded, 'Canary', JSON.stringify(canary).slice(1, -1), Buffer.from(canary).toString('base64')];

  test.each(Object.entries(places))('from %s', async (where, place) => {
    const { args, env } = place();
    // Every command where the connection is made, and a few where it is not.
    const all = Object.entries(wrongs);
    for (const [what, command] of thorough.has(where) ? all : all.slice(0, 3)) {
      const given = command();
      const connects = given[0] === 'snapshot' || given[0] === 'restore';
      const { stdout, stderr } = await runCli([...given, '--json', ...(connects ? args : [])], { env });
      for (const secret of secrets) expect(`${stdout}${stderr}`, what).not.toContain(secret);
    }
    for (const name of await readdir(join(home, 'archives'))) {
      const bytes = await readFile(join(home, 'archives', name));
      for (const secret of secrets) expect(bytes.includes(secret), name).toBe(false);
    }
  });

  test('nor in the arguments of a process or thread', async () => {
    const { child, ended, event } = startCli(['snapshot', '-f', '-', '-t', 't', '--json'], { env: { DATABASE_URL: url() } });
    child.stdout?.pause();
    await event(({ phase }) => phase === 'rows');
    const tasks = await readdir(`/proc/${child.pid}/task`);
    const lines = await Promise.all(
      tasks.flatMap((task) =>
        ['cmdline', 'comm'].map((name) => readFile(`/proc/${child.pid}/task/${task}/${name}`, 'utf8').catch(() => '')),
      ),
    );
    for (const secret of secrets) expect(lines.join('\n')).not.toContain(secret);
    expect(lines.join('\n')).toContain('snapshot');
    child.stdout?.resume();
    expect(await ended).toMatchObject({ exitCode: 0 });
  });
});
