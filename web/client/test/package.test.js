// What is published: types that are those of the sources, a package that strangers can use, files that a person can read.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { begun } from './points.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const LINES_MAX = 300;

/** @param {string} folder @returns {string[]} */
function files(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}
const text = (/** @type {string} */ file) => readFileSync(join(root, file), 'utf8');
const run = (/** @type {string} */ program, /** @type {string[]} */ ...words) => execFileSync(program, words, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
const tsc = (/** @type {string[]} */ ...words) => run(process.execPath, join(root, 'node_modules/typescript/bin/tsc'), ...words);

test('the types are those of the sources (else: npm run types)', (t) => {
  const fresh = mkdtempSync(join(tmpdir(), 'offhook-types-'));
  t.after(() => rmSync(fresh, { recursive: true }));
  tsc('-p', 'tsconfig.types.json', '--outDir', fresh);
  const made = readdirSync(fresh, { recursive: true }).map(String).filter((file) => statSync(join(fresh, file)).isFile()).sort();
  assert.deepEqual(files('types').map((file) => file.slice('types/'.length)), made);
  for (const file of made) assert.equal(text(join('types', file)), readFileSync(join(fresh, file), 'utf8'), file);
});

test('a stranger in strict TypeScript can use it by its name', () => {
  tsc('-p', 'test/consumer');
});

test('the package holds what it needs, needs nothing else, and names no registry', () => {
  const about = JSON.parse(text('package.json'));
  assert.deepEqual([about.dependencies, about.license, about.scripts.prepare], [undefined, 'Apache-2.0', undefined]);
  const [packed] = JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--offline', '--ignore-scripts'));
  const held = new Set(packed.files.map((/** @type {{ path: string }} */ { path }) => path));
  const wanted = [...files('src'), ...files('testing'), ...files('types'), 'README.md', 'LICENSE', 'package.json'];
  assert.deepEqual([...held].sort(), wanted.sort());
  for (const { types, default: file } of Object.values(about.exports)) {
    for (const path of [types, file]) assert.ok(held.has(path.replace('./', '')), path);
  }
  assert.equal(text('package-lock.json').includes('http'), false);
  assert.equal(text('LICENSE'), readFileSync(join(root, '../../LICENSE'), 'utf8'));
});

test('each file says what it is for, and is short', () => {
  for (const file of [...files('src'), ...files('testing'), ...files('test')].filter((file) => /\.[jt]s$/.test(file))) {
    assert.match(text(file), /^\/\/ [A-Z].*/, `${file} does not begin with a sentence`);
    const lines = text(file).split('\n').length;
    assert.ok(lines <= LINES_MAX, `${file}: ${lines} lines`);
  }
});

test('one file of each client touches the network, one for files of both, and only the environment what is outside', () => {
  /** @type {[RegExp, string[]][]} */
  const rules = [
    [/new WebSocket\(/, ['src/agent/socket.js']],
    [/[^.\w]fetch\(|fetchOf\(/, ['src/messenger/stream.js']],
    [/fetchIn\(|env\.XMLHttpRequest\)/, ['src/shared/transfer.js']],
    [/globalThis|Date\.now|performance\.|Math\.random|localStorage(?!,)/, ['src/shared/environment.js', 'src/shared/storage.js']],
  ];
  for (const [touches, may] of rules) {
    const code = (/** @type {string} */ file) => text(file).replace(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.deepEqual(files('src').filter((file) => touches.test(code(file))), may, String(touches));
  }
});

test('the example of the README runs as it stands', async (t) => {
  const example = /```js\n([\s\S]*?)```/.exec(text('README.md'))?.[1] ?? '';
  const lines = example.trim().split('\n').filter((line) => line.trim() !== '');
  assert.ok(lines.length >= 10 && lines.length <= 20, `${lines.length} lines`);
  const server = await begun(t);
  const code = example.replaceAll("'https://desk.example'", JSON.stringify(server.url)).replace(/fetchToken\b/g, JSON.stringify(server.token('ada')));
  const program = ['--input-type=module', '-e', `${code}\n;(${after})(agent, customer);`];
  const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: root, timeout: 30_000 });
  assert.equal(stdout.includes('Hello, Zoë'), true, stdout);
});

/** In the example's own process: until the customer has heard the agent, and then the end. */
function after(/** @type {any} */ agent, /** @type {any} */ customer) {
  const look = (/** @type {any} */ { messages }) => {
    if (!messages.some((/** @type {any} */ { author }) => author === 'agent')) return;
    agent.stop();
    customer.stop();
  };
  customer.subscribe(look);
  look(customer.state);
}
