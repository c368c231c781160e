// Ctrl-C: the program that runs is ended, what was made for it is removed, and the benchmark fails. A second Ctrl-C ends it at once.

const controller = new AbortController();

/** Once there was a Ctrl-C. */
export const interrupted = controller.signal;

process.once('SIGINT', () => {
  console.error('interrupted: removing what was made; once more to leave it');
  controller.abort(new Error('interrupted'));
});
