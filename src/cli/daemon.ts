// `tidemark run`: the daemon, until SIGTERM or SIGINT; SIGHUP makes it read its configuration again, SIGUSR2 take a snapshot now. Its log is
// on standard output; what keeps it from starting is told like every other error.
import { Command } from 'commander';
import type { Daemon } from '../app/daemon/daemon.js';
import { reportError } from './report-error.js';

export function daemonCommand(): Command {
  return new Command('run')
    .description('take snapshots by the rules of the configuration, until it is stopped')
    .option('-c, --config <file>', 'configuration file (default: TIDEMARK_CONFIG, then tidemark.config.* here or above)')
    .addHelpText(
      'after',
      '\nSIGTERM and SIGINT end it in order, SIGHUP makes it read the configuration again, SIGUSR2 take a snapshot now.\nSee docs/daemon.md.',
    )
    .action(runDaemon);
}

async function runDaemon({ config: file }: { readonly config?: string }): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    let asked = false;
    const stop = (): void => {
      // A second signal does not wait for an orderly end.
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
  // Signals that come while it starts must not end the process.
  let daemon: Daemon | undefined;
  process.on('SIGHUP', () => void daemon?.reload());
  process.on('SIGUSR2', () => daemon?.requestSnapshot());
  // Not before it is needed: help and wrong arguments are answered at once.
  const [{ startDaemon }, { loadConfig }] = await Promise.all([import('../app/daemon/daemon.js'), import('../app/config/load.js')]);
  // Its own timers and sockets may end, and it is to go on.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    daemon = await startDaemon({ load: () => loadConfig({ file }) });
    await stopped;
    await daemon.close();
  } catch (error) {
    process.exitCode = reportError(error, { json: false });
  } finally {
    clearInterval(alive);
  }
}
