// One person's way, from the link on the terminal to a token: each scenario goes on where the one before stopped.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { appCode, launch, open, shoot, signIn as signInAs, type Watched } from './browser.ts';
import { serve, type Served } from './server.ts';

const EMAIL = 'ada@example.com';
const FIRST = 'a long first secret';
const SECOND = 'quite another long secret';

let served: Served;
let browser: Browser;
let ada: Watched;
let secret = '';
let recoveryCodes: string[] = [];

before(async () => {
  // The limit of signing in is ten a minute; one browser that does all of this needs more.
  served = await serve('\nauth: {rate_limit: {enabled: false}}\n');
  browser = await launch();
  ada = await open(browser, served.url);
});

after(async () => {
  await browser.close();
  await served.stop();
});

const signIn = (page: Watched['page'], password: string) => signInAs(page, EMAIL, password);

test('the first admin is made by the link of the terminal, once', async () => {
  const { page } = ada;
  const { link } = (await served.operator('POST', '/operator/set-up')) as { link: string };
  const { pathname } = new URL(link);
  const token = pathname.split('/').at(-1) ?? '';
  await page.goto(pathname);
  await page.getByRole('heading', { name: 'Set Dango up' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/setup', 'the token leaves the address');
  // A page that is loaded again still knows it.
  await page.reload();
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByLabel('Password', { exact: true }).fill('password');
  await page.getByRole('button', { name: 'Make the admin' }).click();
  await page.locator('.wrong p').first().waitFor();
  await shoot(page, 'set-up-weak');
  await page.getByLabel('Password', { exact: true }).fill(FIRST);
  await page.getByRole('button', { name: 'Make the admin' }).click();
  await page.getByText('You are signed in as').waitFor();
  await shoot(page, 'start');
  await page.goto(pathname);
  await page.getByRole('heading', { name: 'Dango is set up' }).waitFor();
  assert.ok(token.length > 20 && !served.said().includes(token), 'the token is in no log');
});

test('signing out and in again leads where one wanted to go, and nowhere else', async () => {
  const { page } = ada;
  await page.goto('/');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await page.getByText('This server sends no mail.').waitFor();
  await shoot(page, 'forgot-without-mail');
  await page.goto('/settings/account');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await shoot(page, 'login');
  await signIn(page, 'a wrong password');
  await page.getByText('The e-mail address or the password is wrong.').waitFor();
  await shoot(page, 'login-wrong');
  await signIn(page, FIRST);
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  for (const elsewhere of ['//evil.example/', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
    await page.goto(`/login?return_to=${encodeURIComponent(elsewhere)}`);
    await page.getByText('You are signed in as').waitFor();
    assert.equal(new URL(page.url()).origin, served.url);
  }
});

test('an authenticator app is set up', async () => {
  const { page } = ada;
  await page.goto('/settings/account');
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
  secret = (await page.getByTestId('secret').innerText()).replaceAll(/\s/g, '');
  recoveryCodes = await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allInnerTexts();
  assert.equal(recoveryCodes.length, 8);
  await shoot(page, 'enrolment');
  await page.getByLabel('I have kept them').check();
  await page.getByLabel('Code from your app').fill('000000');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.locator('.wrong p').first().waitFor();
  await page.getByLabel('Code from your app').fill(appCode(secret, -1));
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByText('Two-step sign-in is on.').waitFor();
  await shoot(page, 'account');
});

test('the app is asked for at the next sign-in', async () => {
  const { page } = ada;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, FIRST);
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  // A session that waits for its second factor opens nothing.
  await page.goto('/settings/account');
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  await shoot(page, 'second-factor');
  await page.getByLabel('Code from your app').fill('000000');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.locator('.wrong p').first().waitFor();
  await page.getByLabel('Code from your app').fill(appCode(secret, 0));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
});

test('another browser comes in by a recovery code, and is sent away again', async () => {
  const other = await open(browser, served.url);
  await other.page.goto('/login');
  await signIn(other.page, FIRST);
  await other.page.getByRole('button', { name: 'Use a recovery code' }).click();
  await other.page.getByLabel('Recovery code').fill(recoveryCodes[0] ?? '');
  await other.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.page.getByText('You are signed in as').waitFor();
  const { page } = ada;
  await page.reload();
  const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
  await sessions.nth(1).waitFor();
  await page.getByRole('button', { name: 'End the session' }).click();
  await sessions.nth(1).waitFor({ state: 'detached' });
  await page.getByText('Recovery codes left').waitFor();
  await other.page.reload();
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await other.close();
});

test('a token is made, works, is narrowed, and is revoked', async () => {
  const { page } = ada;
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name').fill('nightly report');
  await page.getByLabel('Only some of it').check();
  await page.getByLabel('health.view').check();
  await shoot(page, 'new-token');
  await page.getByRole('button', { name: 'Make the token' }).click();
  const token = await page.getByTestId('token').innerText();
  assert.match(token, /^dap_.{43}$/);
  await shoot(page, 'token');
  const asks = (path: string) => fetch(served.url + path, { headers: { authorization: `Bearer ${token}` } });
  const allowed = await asks('/api/openapi.json');
  assert.equal(allowed.status, 200, await allowed.text());
  assert.equal((await asks('/api/sources')).status, 403);
  await page.getByRole('button', { name: 'Revoke the token nightly report' }).click();
  await page.getByRole('button', { name: 'Revoke it' }).click();
  await page.getByRole('list', { name: 'API tokens' }).getByRole('listitem').waitFor({ state: 'detached' });
  assert.equal((await asks('/api/openapi.json')).status, 401);
});

test('a proof that has grown old is asked for again, and the act goes on', async () => {
  const { page } = ada;
  // The server says so after some minutes; here the first answer is made to say it, the rest is the server's.
  await page.route('**/api/auth/2fa/regenerate-recovery', async (route) => {
    const body = { status: 403, code: 'reauthentication_required', message: 'this needs a proof', title: '', type: '' };
    await route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify(body) });
  }, { times: 1 });
  await page.getByRole('button', { name: 'New recovery codes' }).click();
  const dialog = page.getByRole('dialog', { name: 'Is it still you?' });
  await dialog.getByLabel('Your password', { exact: true }).fill('not mine');
  await dialog.getByLabel('Code from your app').fill(recoveryCodes[1] ?? '');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await dialog.locator('.wrong p').first().waitFor();
  await shoot(page, 'proof');
  await dialog.getByLabel('Your password', { exact: true }).fill(FIRST);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
  await codes.first().waitFor();
  assert.equal(await codes.count(), 8);
  assert.ok(!(await codes.allInnerTexts()).includes(recoveryCodes[2] ?? ''));
});

test('a password is changed, and the second factor taken away', async () => {
  const { page } = ada;
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByLabel('Current password', { exact: true }).fill(FIRST);
  await page.getByLabel('New password', { exact: true }).fill(SECOND);
  await page.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('Your password is changed.').waitFor();
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('button', { name: 'Turn it off' }).click();
  await page.getByText('The authenticator app is off.').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, SECOND);
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  await ada.close();
});
