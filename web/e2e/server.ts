// A server of its own for each file of scenarios: a new project in a temporary folder, on a port that is free.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DANGO = process.env.DANGO ?? 'dango';

export interface Served {
  url: string;
  /** Asks as the operator, at the unix socket. */
  operator: (method: string, path: string, body?: unknown) => Promise<unknown>;
  /** Runs a command in the project, as whoever sits at the machine. */
  command: (...words: string[]) => void;
  /** Everything the server has said. */
  said: () => string;
  stop: () => Promise<void>;
}

export interface Beginning {
  /** The first admin, when there is one already. */
  admin?: { email: string; password: string };
  /** Whether sign-in is switched off. */
  isOpen?: boolean;
  environment?: Readonly<Record<string, string>>;
}

export async function serve(settings = '', { admin, isOpen = false, environment: more = {} }: Beginning = {}): Promise<Served> {
  const root = mkdtempSync(join(tmpdir(), 'dango-e2e-'));
  const environment = { PATH: process.env.PATH, HOME: root, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH, ...more };
  const run = (words: string[], input = '') => execFileSync(DANGO, words, { cwd: root, env: environment, input, stdio: 'pipe' });
  if (admin) run(['init', '--admin-email', admin.email, '--admin-password-stdin'], admin.password);
  else run(['init']);
  appendFileSync(join(root, '.dango', 'project.yml'), settings);
  if (isOpen) run(['--yes', 'auth', 'disable']);
  const child = spawn(DANGO, ['serve', '--port', '0', '--project', root], { env: environment });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const url = await address(child, () => said);
  const socketPath = join(root, '.dango', 'run', 'dango.sock');
  return {
    url,
    operator: (method, path, body) => ask(socketPath, method, path, body),
    command: (...words) => run(words),
    said: () => said + readLog(root),
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function readLog(root: string): string {
  try {
    return readFileSync(join(root, '.dango', 'logs', 'dango.jsonl'), 'utf8');
  } catch {
    return '';
  }
}

/** Returns where it listens, once it says so. */
function address(child: ChildProcess, said: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', () => {
      const url = /dango listens: (http:\/\/localhost:\d+)/.exec(said())?.[1];
      if (url) resolve(url);
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`the server ended with ${String(code)}: ${said()}`));
    });
  });
}

function ask(socketPath: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { host: 'localhost', 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers }, (answer) => {
      let text = '';
      answer.on('data', (bytes: Buffer) => (text += bytes.toString()));
      answer.on('end', () => {
        if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${text}`));
        else resolve(text ? JSON.parse(text) : null);
      });
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
