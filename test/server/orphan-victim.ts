// A test process that gets killed: starts a server, tells about it in one line, and then waits for its end.
import { createDatabase, serverUrl, startServer } from './index.js';

const own = await startServer();
const db = await createDatabase();
await db.run('CREATE TABLE t ()');
console.log(JSON.stringify({ pid: own.pid, directory: own.directory, sharedUrl: await serverUrl() }));
process.stdin.resume();
