// The tests' S3 server as a process of its own, so that what it costs is not taken for the uploader's. Prints its endpoint; ends with its
// standard input.
import { startFakeS3 } from '../test/store/s3-server.js';

const server = await startFakeS3();
console.log(server.endpoint);
process.stdin.resume().once('end', () => process.exit());
