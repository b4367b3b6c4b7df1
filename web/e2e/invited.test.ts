// Somebody who is invited to a team that asks everybody for a second factor; somebody who guesses.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { appCode, giveDevice, launch, open, shoot, type Watched } from './browser.ts';
import { serve, type Served } from './server.ts';

let served: Served;
let browser: Browser;

before(async () => {
  served = await serve('\nauth: {require_2fa: everyone, rate_limit: {enabled: false}}\nmail: {host: localhost, port: 9, from: dango@example.com, security: none}\n');
  browser = await launch();
});

after(async () => {
  await browser.close();
  await served.stop();
});

/** Invites somebody; returns where the link leads. */
async function invite(email: string): Promise<string> {
  const made = (await served.operator('POST', '/admin/users', { email, role: 'editor' })) as Record<string, unknown>;
  const link = Object.values(made).find((value) => typeof value === 'string' && value.includes('/invite/')) as string;
  return new URL(link).pathname;
}

async function accept(page: Watched['page']) {
  await page.getByLabel('Password', { exact: true }).fill('quite another long secret');
  await page.getByRole('button', { name: 'Make my account' }).click();
  await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
}

test('an invite leads over a password and a second factor to the first page', async () => {
  const { page, close } = await open(browser, served.url);
  const path = await invite('bob@example.com');
  await page.goto(path);
  await page.getByText('bob@example.com').waitFor();
  assert.equal(new URL(page.url()).pathname, '/invite');
  await shoot(page, 'invite');
  await accept(page);
  await page.goto('/settings/account');
  await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
  await shoot(page, 'enrol-choice');
  await page.getByRole('button', { name: 'Authenticator app' }).click();
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

test('a passkey is a second factor where the team asks for one', async () => {
  const watched = await open(browser, served.url);
  const { page, close } = watched;
  const device = await giveDevice(watched);
  await page.goto(await invite('carol@example.com'));
  await page.getByText('carol@example.com').waitFor();
  await accept(page);
  await page.getByRole('button', { name: 'Passkey' }).click();
  await shoot(page, 'enrol-passkey');
  await page.getByRole('button', { name: 'Make the passkey' }).click();
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
  await codes.nth(7).waitFor();
  assert.equal(await device.count(), 1);
  await shoot(page, 'enrol-codes');
  await page.getByLabel('I have kept them').check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('You are signed in as').waitFor();
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
