import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

// Vitest hands these on to Node, so neither 'import' nor 'require' may stand here: pg would then load the wrong half of pg-pool.
const conditions = ['tollway-src', 'node', 'module'];

const isLong = process.env['TOLLWAY_LONG'] === 'on';

export default defineConfig({
  plugins: [swc.vite({ swcrc: true })],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  environments: { __vitest__: { resolve: { conditions } } }, // Where test.globalSetup is loaded.
  test: {
    // The scenarios start whole products, up to a cluster of a dozen processes: they come last and one at a time.
    projects: [
      {
        extends: true,
        test: { name: 'specs', include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/{bench,deployment,golden,tidy}/**/*.spec.ts'], sequence: { groupOrder: 0 } },
      },
      { extends: true, test: { name: 'scenarios', include: ['test/{chaos,scenarios}/**/*.spec.ts'], sequence: { groupOrder: 1 }, maxWorkers: 1 } },
    ],
    exclude: ['**/node_modules/**', 'dist/**'],
    setupFiles: ['libs/testing/src/properties/fixed-seed.ts'],
    globalSetup: ['libs/testing/src/services/global-setup.ts'],
    // Two cores: two files at a time. They share one Postgres and one ClickHouse, each with databases of its own.
    maxWorkers: 2,
    testTimeout: isLong ? 3_600_000 : 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
});
