import '#service/node-version'; // By itself and before the rest, so that an older Node says one clear sentence.

const { prepare } = await import('./prepare.js');
process.exitCode = await prepare();
