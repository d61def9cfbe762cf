// Adds the optional platform packages that a registry mirror left out of package-lock.json, so that `npm ci` accepts the
// lock on every machine. Entries for other platforms are never fetched, so they need neither an address nor a digest.
// `--check` changes nothing and fails where an entry is missing.
import { readFileSync, writeFileSync } from 'node:fs';

const lockFile = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(lockFile, 'utf8'));
const systems = ['linux', 'darwin', 'win32', 'freebsd', 'android', 'openbsd', 'netbsd', 'sunos', 'aix', 'openharmony', 'wasi'];
const processors = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

/** The entry that npm would find for `name` required from `parent`, or null. */
function resolve(parent, name) {
  for (let at = parent; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const path = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock.packages[path]) return path;
    if (at === '') return null;
    if (!at.includes('/node_modules/')) at = '';
    if (at === '' && lock.packages[`node_modules/${name}`]) return `node_modules/${name}`;
    if (at === '') return null;
  }
}

const missing = [];
for (const [parent, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const found = resolve(parent, name);
    if (found !== null) continue;
    missing.push({ parent, name, version: version.replace(/^[\^~]/, '') });
  }
}

for (const { parent, name, version } of missing) {
  const words = name.split(/[^a-z0-9]+/i);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  const taken = lock.packages[`node_modules/${name}`];
  const path = taken && taken.version !== version ? `${parent}/node_modules/${name}` : `node_modules/${name}`;
  lock.packages[path] = {
    version,
    optional: true,
    ...(os.length > 0 ? { os } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(words.includes('musl') ? { libc: ['musl'] } : words.includes('gnu') ? { libc: ['glibc'] } : {}),
  };
}

const names = missing.map(({ name, version }) => `${name}@${version}`);
if (process.argv.includes('--check') && names.length > 0) {
  console.error(`package-lock.json lacks ${names.length} optional packages: ${names.join(', ')}. Run: npm run lock:complete`);
  process.exit(1);
}
if (names.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(names.length === 0 ? 'package-lock.json is complete.' : `added ${names.length}: ${names.join(', ')}`);
