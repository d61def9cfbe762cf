import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { functionsOf, isSpec, projectFiles, readSource, type FunctionSize, type SourceFile } from './sources.js';

// The house style as a test. A list of old excess may only shrink: an entry that is no longer needed fails too.

const limits = { functionLinesMax: 70, fileLinesMax: 400, specLinesMax: 600, parametersMax: 3, constructorParametersMax: 6, blobBytesMax: 256 * 1024 };

const oldExcess: Readonly<Record<'file' | 'function', readonly string[]>> = {
  file: [],
  function: [],
};

const files = projectFiles();
const typescript = files.filter((path) => path.endsWith('.ts')).map(readSource);
const functions = typescript.flatMap(functionsOf);
const code = typescript.filter((source) => !isSpec(source.path));

function places(sources: readonly SourceFile[], pattern: RegExp): string[] {
  return sources.flatMap(({ path, lines }) => lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])));
}

describe('sizes', () => {
  it('keeps files short', () => {
    const tooLong = typescript
      .filter(({ path, lines }) => lines.length - 1 > (isSpec(path) ? limits.specLinesMax : limits.fileLinesMax))
      .map(({ path }) => path);
    expect(tooLong.sort(), 'Split by noun or use case.').toEqual([...oldExcess.file].sort());
  });

  it('keeps functions short', () => {
    const isTest = ({ path }: FunctionSize): boolean => isSpec(path);
    const tooLong = functions.filter((found) => !isTest(found) && found.lines > limits.functionLinesMax).map(({ path, name }) => `${path} ${name}`);
    expect(tooLong.sort(), 'Keep the branches in the parent and move the arithmetic into pure leaves.').toEqual([...oldExcess.function].sort());
  });

  it('keeps parameters few, and never two of one primitive type side by side without names', () => {
    const ours = functions.filter(({ path }) => !isSpec(path));
    const tooMany = ours.filter(({ kind, parameters }) => parameters.length > (kind === 'constructor' ? limits.constructorParametersMax : limits.parametersMax));
    const primitive = new Set(['string', 'number', 'bigint', 'boolean']);
    // What treats its two alike (a comparison, a greatest common divisor) calls them a and b: there is no order to confuse.
    const confusable = ours.filter(({ parameters }) => {
      const types = parameters.filter(({ name, type }) => primitive.has(type) && name !== 'a' && name !== 'b').map(({ type }) => type);
      return new Set(types).size < types.length;
    });
    const show = ({ path, line, name }: FunctionSize): string => `${path}:${line} ${name}`;
    expect([...tooMany, ...confusable].map(show), 'Take one object with named fields.').toEqual([]);
  });

  it('holds no large files', () => {
    const large = files.filter((path) => path !== 'package-lock.json' && statSync(path).size > limits.blobBytesMax);
    expect(large).toEqual([]);
  });
});

describe('words that are not used', () => {
  const bans: readonly { readonly pattern: RegExp; readonly instead: string; readonly where: readonly SourceFile[] }[] = [
    { pattern: /\b(?:it|test|describe)\.only\(/, instead: 'Run one test by its path.', where: typescript },
    { pattern: /\bvi\.mock\(/, instead: 'Use the real thing, or an adapter that passes the contract suite.', where: typescript },
    { pattern: /\b(?:TO|FIX)DO\b|\bFIXME\b/, instead: 'Finish it or leave it out.', where: typescript },
    { pattern: /[Nn]ot implemented|\bcoming soon\b/, instead: 'No stub is committed.', where: typescript },
    { pattern: /@ts-nocheck|@ts-ignore/, instead: 'Use @ts-expect-error with its reason.', where: typescript },
    { pattern: /eslint-disable(?:-next-line)?\s*$/, instead: 'Name the rule and the reason.', where: typescript },
    { pattern: /\bnew Date\(|\bDate\.now\(/, instead: 'Use Temporal and the Clock port.', where: code.filter(({ text }) => !text.includes('no-restricted-globals')) },
    { pattern: /\bMath\.random\(/, instead: 'Inject randomness.', where: code },
    { pattern: /export \* from/, instead: 'Name what a lib exports.', where: typescript },
    { pattern: /forwardRef\(/, instead: 'Break the circle.', where: typescript },
  ];
  it.each(bans.map((ban) => [ban.pattern.source, ban] as const))('%s', (_name, { pattern, instead, where }) => {
    const outside = where.filter(({ path }) => !path.startsWith('test/tidy/'));
    expect(places(outside, pattern), instead).toEqual([]);
  });

  it('calls no folder or file by a name that means nothing', () => {
    const vague = files.filter((path) => /(?:^|\/)(?:utils?|helpers?|commons?|shared|managers?|misc)(?:[./-]|$)/.test(path));
    expect(vague, 'Name the noun.').toEqual([]);
  });
});

describe('money and time', () => {
  it('never lets a number hold money or a quantity in the domain', () => {
    const domain = code.filter(({ path }) => path.startsWith('libs/domain/'));
    expect(places(domain, /parseFloat\(|\.toNumber\(\)/), 'Use Decimal.').toEqual([]);
  });

  it('keeps the domain free of frameworks and of the process', () => {
    const domain = typescript.filter(({ path }) => path.startsWith('libs/domain/') && !path.endsWith('.spec.ts'));
    expect(places(domain, /from '(?!\.|zod'|decimal\.js')[^']+'|process\.env/), 'The domain imports zod and decimal.js only.').toEqual([]);
  });
});

describe('documents', () => {
  const markdown = files.filter((path) => path.endsWith('.md')).map(readSource);

  it('gives each document one title', () => {
    const outsideFences = (text: string): string => text.replaceAll(/```[\s\S]*?```/g, '');
    expect(markdown.filter(({ text }) => (outsideFences(text).match(/^# /gm) ?? []).length !== 1).map(({ path }) => path)).toEqual([]);
  });

  it('links only to files that are there', () => {
    const known = new Set(files);
    const folders = new Set(files.flatMap((path) => path.split('/').map((_, index, parts) => parts.slice(0, index).join('/'))));
    const broken = markdown.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target = '']) => new URL(target, `file:///${path}`).pathname.slice(1).replace(/\/$/, ''))
        .filter((target) => !known.has(target) && !folders.has(target))
        .map((target) => `${path} → ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('says nothing of the machine it was written on', () => {
    const texts = files.filter((path) => /\.(?:ts|js|mjs|json|md|ya?ml|sh)$/.test(path) && path !== 'package-lock.json' && !path.startsWith('test/tidy/')).map(readSource);
    expect(places(texts, /(?:^|[^\w./])\/(?:work|root|home)\//)).toEqual([]);
  });
});

describe('apps', () => {
  it('gives every folder of a lib or an app a home in the workspace', () => {
    const projects = files.filter((path) => path.endsWith('/project.json')).map((path) => path.replace('/project.json', ''));
    const stray = files.filter((path) => /^(?:apps|libs)\//.test(path) && !projects.some((project) => path.startsWith(`${project}/`)));
    expect(stray).toEqual([]);
  });
});
