// Imports nothing that needs a new Node, so that an old one says one clear sentence instead of a syntax error.
const nodeMajorMin = 26;
const nodeMajor = Number.parseInt(process.versions.node, 10);

if (nodeMajor < nodeMajorMin) {
  process.stderr.write(`Tollway needs Node ${nodeMajorMin} or newer and this is ${process.versions.node}. "npm start" runs the one that "npm ci" brought.\n`);
  process.exit(1);
}
