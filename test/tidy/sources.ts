import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** Every file that git tracks or would track, so that a new file is held to the rules before its first commit. */
export function projectFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const deleted = new Set(execFileSync('git', ['ls-files', '--deleted', '-z'], { encoding: 'utf8' }).split('\0'));
  return listed.split('\0').filter((path) => path !== '' && !deleted.has(path));
}

export function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  return { path, text, lines: text.split('\n') };
}

export function isSpec(path: string): boolean {
  return path.endsWith('.spec.ts') || path.startsWith('test/') || path.startsWith('libs/testing/');
}

export interface FunctionSize {
  readonly path: string;
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
  readonly kind: 'function' | 'constructor';
}

/** Every function with a body, its length in lines and its parameters as written. */
export function functionsOf(source: SourceFile): readonly FunctionSize[] {
  const tree = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true);
  const found: FunctionSize[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const first = tree.getLineAndCharacterOfPosition(node.getStart()).line;
      const last = tree.getLineAndCharacterOfPosition(node.getEnd()).line;
      found.push({
        path: source.path,
        name: node.name?.getText() ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name.getText() : 'anonymous'),
        line: first + 1,
        lines: last - first + 1,
        parameters: node.parameters.map((parameter) => ({ name: parameter.name.getText(), type: parameter.type?.getText() ?? '' })),
        kind: ts.isConstructorDeclaration(node) ? 'constructor' : 'function',
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}
