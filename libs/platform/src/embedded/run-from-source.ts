import { registerHooks } from 'node:module';

// Preloaded where a process runs TypeScript files as they are: relative imports name the compiled `.js` file, which is not there yet.
registerHooks({
  resolve: (specifier, context, next) => {
    const isRelativeSource = specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts') === true;
    return next(isRelativeSource ? `${specifier.slice(0, -'.js'.length)}.ts` : specifier, context);
  },
});
