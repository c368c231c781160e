// A process that publishes into a folder until somebody takes over, and then tells so. Its arguments: the folder, and whether it waits for
// a word between making a temporary file and publishing it. Each message of its parent lets it go on.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeOver } from '#dist/store/fence.js';
import { publishFenced } from '#dist/store/publish-fenced.js';

const [directory, waits] = process.argv.slice(2);

for (;;) {
  const fence = await takeOver(directory, 'a');
  for (let number = 1; ; number += 1) {
    const temporary = join(directory, fence.temporaryName());
    try {
      await writeFile(temporary, 'by the holder');
      await fence.check();
      process.send({ type: 'ready', token: String(fence.token) });
      if (waits === 'waits') await once(process, 'message');
      await publishFenced(temporary, join(directory, `a-${fence.token}-${number}`));
    } catch (error) {
      process.send({ type: 'lost', code: error.code, message: error.message });
      break;
    }
  }
  await once(process, 'message');
}
