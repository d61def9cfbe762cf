import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

const conditions = ['tollway-src', 'node', 'import', 'module', 'default'];

export default defineConfig({
  plugins: [swc.vite({ swcrc: true })],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/**/*.spec.ts'],
    exclude: ['**/node_modules/**', 'dist/**'],
    // Two cores: two files at a time, each with its own embedded services where it needs them.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
});
