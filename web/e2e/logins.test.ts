// A login elsewhere is linked, signs in, and is unlinked again.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, open, shoot, signIn, type Watched } from './browser.ts';
import { provide, type Provider } from './provider.ts';
import { serve, type Served } from './server.ts';

const ADA = { email: 'ada@example.com', password: 'a long first secret' };

let provider: Provider;
let served: Served;
let browser: Browser;
let ada: Watched;

before(async () => {
  provider = await provide();
  const settings = `
auth:
  rate_limit: {enabled: false}
  oauth_providers: {github: {client_id: dango, issuer: '${provider.url}'}}
egress: {allow_private: ['127.0.0.1']}
`;
  served = await serve(settings, { admin: ADA, environment: { DAP_OAUTH_GITHUB_CLIENT_SECRET: 'a secret of the client' } });
  browser = await launch();
  ada = await open(browser, served.url, { elsewhere: provider.url });
});

after(async () => {
  await browser.close();
  await served.stop();
  await provider.stop();
});

test('whoever is not linked does not come in, and learns what to do', async () => {
  const { page } = ada;
  await page.goto('/login');
  await page.getByRole('link', { name: 'Continue with GitHub' }).click();
  await page.getByText('No account here is linked with that one.').waitFor();
  await shoot(page, 'login-unknown');
});

test('a login is linked, and the address is clean afterwards', async () => {
  const { page } = ada;
  await page.goto('/settings/account');
  await signIn(page, ADA.email, ADA.password);
  await page.getByRole('button', { name: 'Link GitHub' }).click();
  await page.getByText('GitHub is linked: you can sign in with it.').waitFor();
  assert.equal(new URL(page.url()).search, '');
  await page.getByText('ada@elsewhere.example').waitFor();
  await shoot(page, 'login-linked');
});

test('it signs in, to where one wanted to go', async () => {
  const { page } = ada;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto('/settings/account');
  await page.getByRole('link', { name: 'Continue with GitHub' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
});

test('somebody else cannot link it, and it is unlinked', async () => {
  const { page } = ada;
  await page.goto('/settings/account?error=login_exists');
  await page.getByText('That account is linked with somebody else here.').waitFor();
  await page.getByRole('button', { name: 'Unlink GitHub, ada@elsewhere.example' }).click();
  await page.getByRole('button', { name: 'Unlink it' }).click();
  await page.getByText('GitHub is unlinked.').waitFor();
  assert.equal(await page.getByRole('list', { name: 'Linked logins' }).getByRole('listitem').count(), 0);
  await ada.close();
});
