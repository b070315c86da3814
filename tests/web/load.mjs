// The page's modules for node: their names end in .js, so node wants to be told that they are modules.
import {cpSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'gavel-web-'));
cpSync(fileURLToPath(new URL('../../web', import.meta.url)), folder, {recursive: true});
writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
process.on('exit', () => rmSync(folder, {recursive: true, force: true}));

export const load = (name) => import(pathToFileURL(join(folder, name)));
