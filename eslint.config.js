import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Who may import whom; docs/architecture says why. */
const boundaries = [
  { sourceTag: 'type:domain', onlyDependOnLibsWithTags: [], bannedExternalImports: ['@nestjs/*', 'typeorm', 'pg', 'kafkajs', 'stripe', 'bullmq', 'fastify', '@clickhouse/*'] },
  { sourceTag: 'type:contracts', onlyDependOnLibsWithTags: ['type:domain'] },
  { sourceTag: 'type:platform', onlyDependOnLibsWithTags: ['type:contracts', 'type:domain'] },
  { sourceTag: 'type:persistence', onlyDependOnLibsWithTags: ['type:domain', 'type:contracts', 'type:platform'] },
  { sourceTag: 'type:service', onlyDependOnLibsWithTags: ['type:domain', 'type:contracts', 'type:platform', 'type:persistence'] },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['type:domain', 'type:contracts', 'type:platform', 'type:persistence'] },
  { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:domain', 'type:contracts', 'type:platform', 'type:persistence', 'type:service', 'type:testing'] },
  { sourceTag: 'type:standalone', onlyDependOnLibsWithTags: ['type:app', 'type:domain', 'type:contracts', 'type:platform', 'type:persistence', 'type:service', 'type:testing'] },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.nx/**', '.tollway/**', 'coverage/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { allow: [], depConstraints: boundaries, enforceBuildableLibDependency: false }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/no-unsafe-function-type': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      'max-params': ['error', 3],
      'no-console': 'error',
      'no-restricted-globals': ['error', { name: 'Date', message: 'Use Temporal; Date appears only where a library asks for it, with the reason beside it.' }],
    },
  },
  { files: ['**/*.spec.ts', 'test/**', 'libs/testing/**', 'infra/**', 'apps/*/src/main.ts'], rules: { 'no-console': 'off', 'max-params': 'off' } },
  // Nx forbids importing applications; standalone composes them and cluster runs them, and nobody else may.
  {
    files: ['apps/standalone/**/*.ts', 'apps/cluster/**/*.ts', 'test/**/*.ts'],
    plugins: { '@nx': nx },
    rules: { '@nx/enforce-module-boundaries': ['error', { allow: ['#ingest', '#aggregator', '#rating', '#invoicing', '#billing-api', '#front', '#testing'], depConstraints: boundaries, enforceBuildableLibDependency: false }] },
  },
  // Specs of every project run on the real services that libs/testing starts.
  { files: ['**/*.spec.ts', '**/*-fixture.ts', '**/fixtures/**'], plugins: { '@nx': nx }, rules: { '@nx/enforce-module-boundaries': ['error', { allow: ['#testing'], depConstraints: boundaries, enforceBuildableLibDependency: false }] } },
  { files: ['**/*.mjs', '**/*.js'], extends: [tseslint.configs.disableTypeChecked], languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } } },
);
