import '#service/node-version'; // By itself and before the rest, so that an older Node says one clear sentence.

const { run } = await import('./run.js');
process.exitCode = await run();
