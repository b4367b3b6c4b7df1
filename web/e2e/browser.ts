// A browser that is watched: whatever it asks of anybody else, and whatever its policy refuses, fails the scenario.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

const SHOTS = join(import.meta.dirname, '..', 'screenshots');

export async function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

export interface Watched {
  page: Page;
  context: BrowserContext;
  /** Fails if anything went wrong that nobody looked at. */
  close: () => Promise<void>;
}

export interface Opening extends BrowserContextOptions {
  /** Somebody else whom the scenario goes to. */
  elsewhere?: string;
}

export async function open(browser: Browser, url: string, { elsewhere, ...options }: Opening = {}): Promise<Watched> {
  const context = await browser.newContext({ baseURL: url, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('request', (request) => {
    const isKnown = request.url().startsWith(url) || (elsewhere !== undefined && request.url().startsWith(elsewhere));
    if (!isKnown) complaints.push(`asked ${request.url()}`);
    if (request.headers().referer) complaints.push(`told ${request.url()} where it came from`);
  });
  page.on('console', (message) => {
    // The browser reports every refusal of the server; those are part of the scenarios.
    const isRefusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return {
    page,
    context,
    close: async () => {
      await context.close();
      assert.deepEqual(complaints, []);
    },
  };
}

/** Keeps a picture, where a person wants to look at the pages. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (!process.env.SCREENSHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: join(SHOTS, `${name}-${scheme}.png`), fullPage: true });
  }
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.screenshot({ path: join(SHOTS, `${name}-narrow.png`), fullPage: true });
  if (size) await page.setViewportSize(size);
}

/** Gives the page a device that holds passkeys, and whose holder it can verify. */
export async function giveDevice({ context, page }: Watched): Promise<Device> {
  const session = await context.newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    count: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
    verify: async (isUserVerified) => {
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    },
  };
}

export interface Device {
  /** How many passkeys it holds. */
  count: () => Promise<number>;
  /** Whether it finds from now on that its holder is who he should be. */
  verify: (isUserVerified: boolean) => Promise<void>;
}

/** Returns what an app that is not ours shows, so many steps of 30 seconds from now: each is good once. */
export function appCode(secret: string, steps: number): string {
  const now = new Date(Date.now() + steps * 30_000).toISOString().replace('T', ' ').replace(/\..*/, ' UTC');
  return execFileSync('oathtool', ['--totp', '--base32', '--now', now, secret], { encoding: 'utf8' }).trim();
}

export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
