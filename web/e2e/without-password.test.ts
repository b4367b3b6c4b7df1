// Somebody whom a provider's login made an account, and who has no password: no page asks for one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { appCode, launch, open, shoot, type Watched } from './browser.ts';
import { provide, type Provider } from './provider.ts';
import { serve, type Served } from './server.ts';

let provider: Provider;
let served: Served;
let browser: Browser;
let ada: Watched;

before(async () => {
  provider = await provide();
  const settings = `
auth:
  rate_limit: {enabled: false}
  oauth_create_viewers: true
  oauth_providers: {github: {client_id: dango, issuer: '${provider.url}', allowed_domains: [elsewhere.example]}}
egress: {allow_private: ['127.0.0.1']}
`;
  const admin = { email: 'admin@example.com', password: 'a long first secret' };
  served = await serve(settings, { admin, environment: { DAP_OAUTH_GITHUB_CLIENT_SECRET: 'a secret of the client' } });
  browser = await launch();
  ada = await open(browser, served.url, { elsewhere: provider.url });
});

after(async () => {
  await browser.close();
  await served.stop();
  await provider.stop();
});

/** The server says after some minutes that a proof is too old; here its first answer is made to say it. */
async function growOld(path: string) {
  const body = { status: 403, code: 'reauthentication_required', message: 'this needs a proof', title: '', type: '' };
  const answer = { status: 403, contentType: 'application/problem+json', body: JSON.stringify(body) };
  await ada.page.route(path, (route) => route.fulfill(answer), { times: 1 });
}

const passwords = () => ada.page.locator('input[type=password]').count();

test('the account page says so, and a proof is a sign-in elsewhere', async () => {
  const { page } = ada;
  await page.goto('/settings/account');
  await page.getByRole('link', { name: 'Continue with GitHub' }).click();
  await page.getByText('You have none: you sign in with a passkey or a linked login.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Change password' }).count(), 0);
  await growOld('**/api/auth/2fa/setup');
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
  const dialog = page.getByRole('dialog', { name: 'Is it still you?' });
  await dialog.getByText('Sign out and in again').waitFor();
  assert.equal(await passwords(), 0);
  await shoot(page, 'proof-elsewhere');
  await dialog.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('link', { name: 'Continue with GitHub' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
});

test('with an app, its code alone is the proof', async () => {
  const { page } = ada;
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
  const secret = (await page.getByTestId('secret').innerText()).replaceAll(/\s/g, '');
  await page.getByLabel('I have kept them').check();
  await page.getByLabel('Code from your app').fill(appCode(secret, -1));
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByText('Two-step sign-in is on.').waitFor();
  await growOld('**/api/auth/2fa/regenerate-recovery');
  await page.getByRole('button', { name: 'New recovery codes' }).click();
  const dialog = page.getByRole('dialog', { name: 'Is it still you?' });
  const code = dialog.getByLabel('Code from your app');
  await code.fill(appCode(secret, 0));
  assert.equal(await passwords(), 0);
  await shoot(page, 'proof-without-password');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('group', { name: 'Your new recovery codes' }).waitFor();
  await ada.close();
});
