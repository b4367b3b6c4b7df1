// A program without a browser asks to be let in, as `dango login` does; somebody decides on the page whose address it prints.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, open, shoot, signIn, type Watched } from './browser.ts';
import { serve, type Served } from './server.ts';

const ADA = { email: 'ada@example.com', password: 'a long first secret' };

interface Begun {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
}

let served: Served;
let browser: Browser;
let ada: Watched;

before(async () => {
  served = await serve('\nauth: {rate_limit: {enabled: false}}\n', { admin: ADA });
  browser = await launch();
  ada = await open(browser, served.url);
});

after(async () => {
  await browser.close();
  await served.stop();
});

/** Asks as a program does that is no browser. */
async function ask(path: string, body: unknown): Promise<{ status: number; told: Record<string, unknown> }> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${served.url}/api/auth/device/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, told: (await answer.json()) as Record<string, unknown> };
}

const begin = async (wish: unknown) => (await ask('code', wish)).told as unknown as Begun;
const comeBack = ({ device_code }: Begun) => ask('token', { device_code });

test('a program is let in by its code, after a sign-in and a fresh proof', async () => {
  const { page } = ada;
  const begun = await begin({ name: 'dango on laptop', scopes: ['account.view'], expires_in_days: 7 });
  assert.equal(begun.verification_uri, `${served.url}/device`);
  await page.goto(begun.verification_uri_complete);
  await signIn(page, ADA.email, ADA.password);
  const code = page.getByLabel('Code that the program shows');
  assert.equal(await code.inputValue(), begun.user_code, 'it came through the sign-in');
  const refusal = { status: 403, code: 'reauthentication_required', message: 'this needs a proof', title: '', type: '' };
  const answer = { status: 403, contentType: 'application/problem+json', body: JSON.stringify(refusal) };
  await page.route('**/api/auth/device/look', (route) => route.fulfill(answer), { times: 1 });
  await page.getByRole('button', { name: 'Look at it' }).click();
  const dialog = page.getByRole('dialog', { name: 'Is it still you?' });
  await dialog.getByLabel('Your password', { exact: true }).fill(ADA.password);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Is this yours?' }).waitFor();
  const shown = await page.getByRole('group', { name: 'The program that waits' }).innerText();
  for (const text of ['dango on laptop', 'account.view', '7 days', ADA.email]) {
    assert.ok(shown.includes(text), `${text} is not in: ${shown}`);
  }
  assert.match(shown, /127\.0\.0\.1|::1/, 'where it asked from');
  await shoot(page, 'device');
  await page.getByRole('button', { name: 'Let it in' }).click();
  await page.getByText('dango on laptop is let in').waitFor();
  await shoot(page, 'device-let-in');
  const { status, told } = await comeBack(begun);
  assert.equal(status, 200, JSON.stringify(told));
  const headers = { authorization: `Bearer ${String(told.access_token)}` };
  const me = await fetch(`${served.url}/api/auth/me`, { headers });
  assert.equal(((await me.json()) as { email: string }).email, ADA.email);
});

test('a program is sent away, and a code that nobody waits with is said to be wrong', async () => {
  const { page } = ada;
  const begun = await begin({ name: 'somebody else' });
  await page.goto('/device');
  const code = page.getByLabel('Code that the program shows');
  await code.fill('BCDF-GHJK');
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.locator('.wrong p').first().waitFor();
  await shoot(page, 'device-wrong');
  await code.fill(begun.user_code.toLowerCase());
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByRole('button', { name: 'Send it away' }).click();
  await page.getByText('somebody else is sent away').waitFor();
  const { status, told } = await comeBack(begun);
  assert.deepEqual([status, told.code], [400, 'access_denied']);
  await ada.close();
});
