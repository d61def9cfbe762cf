import '#service/node-version'; // By itself and before the rest, so that an older Node says one clear sentence.

const { run } = await import('./run.js');
process.exitCode = await run({
  args: process.argv.slice(2),
  environment: process.env,
  say: (text) => void process.stdout.write(`${text}\n`),
  complain: (text) => void process.stderr.write(`${text}\n`),
});
