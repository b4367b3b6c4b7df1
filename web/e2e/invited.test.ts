// Somebody who is invited to a team that asks everybody for a second factor; somebody who guesses.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { appCode, launch, open, shoot } from './browser.ts';
import { serve, type Served } from './server.ts';

let served: Served;
let browser: Browser;

before(async () => {
  served = await serve('\nauth: {require_2fa: everyone}\n');
  browser = await launch();
});

after(async () => {
  await browser.close();
  await served.stop();
});

test('an invite leads over a password and a second factor to the first page', async () => {
  const { page, close } = await open(browser, served.url);
  const body = { email: 'bob@example.com', role: 'editor' };
  const made = (await served.operator('POST', '/admin/users', body)) as Record<string, unknown>;
  const link = Object.values(made).find((value) => typeof value === 'string' && value.includes('/invite/')) as string;
  const path = new URL(link).pathname;
  await page.goto(path);
  await page.getByText('bob@example.com').waitFor();
  assert.equal(new URL(page.url()).pathname, '/invite');
  await shoot(page, 'invite');
  await page.getByLabel('Password', { exact: true }).fill('quite another long secret');
  await page.getByRole('button', { name: 'Make my account' }).click();
  await page.getByRole('heading', { name: 'Set up two-step sign-in' }).waitFor();
  await page.goto('/settings/account');
  await page.getByRole('heading', { name: 'Set up two-step sign-in' }).waitFor();
  const secret = (await page.getByTestId('secret').innerText()).replaceAll(/\s/g, '');
  await shoot(page, 'enrol');
  await page.getByLabel('I have kept them').check();
  await page.getByLabel('Code from your app').fill(appCode(secret, 0));
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  await page.goto(path);
  await page.getByRole('heading', { name: 'This link is not good any more' }).waitFor();
  await shoot(page, 'spent');
  await close();
});

test('whoever guesses is told to wait, and for how long', async () => {
  const { page, close } = await open(browser, served.url);
  await page.goto('/forgot-password');
  await page.getByLabel('E-mail').fill('eve@example.com');
  await page.getByRole('button', { name: 'Send me a link' }).click();
  await page.getByRole('heading', { name: 'Look at your mail' }).waitFor();
  await shoot(page, 'forgot');
  await page.getByRole('link', { name: 'Back to signing in' }).click();
  await page.getByLabel('E-mail').fill('eve@example.com');
  await page.getByLabel('Password', { exact: true }).fill('a guess');
  const submit = page.getByRole('button', { name: 'Sign in' });
  const timer = page.getByRole('timer');
  for (let guess = 0; guess < 6 && !(await timer.isVisible()); guess++) {
    const answered = page.waitForResponse('**/api/auth/login');
    await submit.click();
    await (await answered).finished();
    await page.locator('.wrong p, .notice-bad').first().waitFor();
  }
  await timer.waitFor();
  assert.match(await timer.innerText(), /^1[45]:\d\d$/);
  assert.ok(await submit.isDisabled());
  await shoot(page, 'locked');
  await close();
});
