// Sign-in is switched off: every page says so, and how that is ended.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, open, shoot, signIn } from './browser.ts';
import { serve, type Served } from './server.ts';

const ADA = { email: 'ada@example.com', password: 'a long first secret' };

const PAGES = {
  '/': 'Hello',
  '/settings/account': 'Account',
  '/login': 'Nobody has to sign in',
  '/forgot-password': 'Forgot your password?',
  '/setup': 'Dango is set up',
  '/invite': 'This link is not good any more',
  '/reset-password': 'This link is not good any more',
  '/change-password': 'Hello',
  '/enrol': 'Hello',
  '/nothing/here': 'Nothing here',
} as const;

let served: Served;
let browser: Browser;

before(async () => {
  served = await serve('', { admin: ADA, isOpen: true });
  browser = await launch();
});

after(async () => {
  await browser.close();
  await served.stop();
});

test('every page says that sign-in is off, and what to do', async () => {
  const { page, close } = await open(browser, served.url);
  const notice = page.getByRole('complementary', { name: 'Sign-in is off' });
  for (const [path, heading] of Object.entries(PAGES)) {
    await page.goto(path);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await notice.waitFor();
    assert.match(await notice.innerText(), /dango auth enable/, path);
    await shoot(page, `off-${path.replaceAll('/', '-').slice(1) || 'start'}`);
  }
  await close();
});

test('whoever signs in all the same is told too, until it is on again', async () => {
  const { page, close } = await open(browser, served.url);
  const notice = page.getByRole('complementary', { name: 'Sign-in is off' });
  await page.goto('/login');
  await page.getByRole('button', { name: 'Sign in all the same' }).click();
  await signIn(page, ADA.email, ADA.password);
  await page.getByText('You are signed in as').waitFor();
  await page.reload();
  await page.getByText('You are signed in as').waitFor();
  await notice.waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Hello' }).waitFor();
  served.command('auth', 'enable');
  await page.goto('/settings/account');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await notice.waitFor({ state: 'detached' });
  await close();
});
