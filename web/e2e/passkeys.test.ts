// A device that holds passkeys: each scenario goes on where the one before stopped.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { giveDevice, launch, open, shoot, signIn, type Device, type Watched } from './browser.ts';
import { serve, type Served } from './server.ts';

const ADA = { email: 'ada@example.com', password: 'a long first secret' };

let served: Served;
let browser: Browser;
let ada: Watched;
let device: Device;

before(async () => {
  served = await serve('\nauth: {rate_limit: {enabled: false}}\n', { admin: ADA });
  browser = await launch();
  // Passkeys belong to a name: the server is reached as localhost, never as 127.0.0.1.
  assert.match(served.url, /^http:\/\/localhost:\d+$/);
  ada = await open(browser, served.url);
  device = await giveDevice(ada);
});

after(async () => {
  await browser.close();
  await served.stop();
});

/** The server says after some minutes that a proof is too old; here its first answer is made to say it. */
async function growOld(path: string) {
  const body = { status: 403, code: 'reauthentication_required', message: 'this needs a proof', title: '', type: '' };
  const answer = { status: 403, contentType: 'application/problem+json', body: JSON.stringify(body) };
  await ada.page.route(path, (route) => route.fulfill(answer), { times: 1 });
}

const passkeys = () => ada.page.getByRole('list', { name: 'Passkeys' }).getByRole('listitem');

async function signOut() {
  await ada.page.getByRole('button', { name: 'Sign out' }).click();
  await ada.page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

test('a passkey is added, with recovery codes, and given another name', async () => {
  const { page } = ada;
  await page.goto('/settings/account');
  await signIn(page, ADA.email, ADA.password);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  const name = page.getByLabel('Name of the passkey');
  assert.equal(await name.inputValue(), 'Chrome on Linux', 'a name is offered');
  await name.fill('laptop');
  await shoot(page, 'new-passkey');
  await page.getByRole('button', { name: 'Make the passkey' }).click();
  await page.getByText('The passkey laptop is ready.').waitFor();
  assert.equal(await device.count(), 1);
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
  assert.equal(await codes.count(), 8);
  await shoot(page, 'passkey-codes');
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await codes.first().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Rename the passkey laptop' }).click();
  await page.getByLabel('New name').fill('work laptop');
  await shoot(page, 'passkey-rename');
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await passkeys().getByText('work laptop').waitFor();
  // The device has one for this account already, and says so.
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('button', { name: 'Make the passkey' }).click();
  await page.getByText('This device has a passkey for your account already.').waitFor();
  assert.equal(await passkeys().count(), 1);
  await shoot(page, 'passkey-twice');
});

test('it is asked for after the password', async () => {
  const { page } = ada;
  await signOut();
  await signIn(page, ADA.email, ADA.password);
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  await shoot(page, 'second-factor-passkey');
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  await passkeys().getByText('used').waitFor();
});

test('it signs in alone, from the keyboard', async () => {
  const { page } = ada;
  await signOut();
  await page.getByRole('button', { name: 'Use a passkey' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Account' }).waitFor();
});

test('a device that does not know its holder shows nothing, and the page says so', async () => {
  const { page } = ada;
  await signOut();
  await device.verify(false);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByText('No passkey was used').waitFor();
  await shoot(page, 'passkey-not-shown');
  await device.verify(true);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
});

test('it proves again who one is, and is removed', async () => {
  const { page } = ada;
  await growOld('**/api/auth/passkeys/*');
  const remove = page.getByRole('button', { name: 'Remove the passkey work laptop' });
  const question = page.getByRole('dialog', { name: 'Remove work laptop?' });
  await remove.click();
  await question.waitFor();
  await shoot(page, 'passkey-remove');
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'detached' });
  assert.ok(await remove.evaluate((button) => button === document.activeElement), 'the focus is where it was');
  await remove.click();
  await page.getByRole('button', { name: 'Remove it' }).click();
  const dialog = page.getByRole('dialog', { name: 'Is it still you?' });
  await dialog.getByLabel('Recovery code').waitFor();
  await shoot(page, 'proof-passkey');
  // The passkey has the focus: a password is the other way.
  await page.keyboard.press('Enter');
  await page.getByText('The passkey work laptop is removed.').waitFor();
  await page.getByText('There are none.').first().waitFor();
  await page.getByText('Recovery codes left').waitFor({ state: 'detached' });
});

test('a passkey that was removed opens nothing', async () => {
  const { page } = ada;
  await signOut();
  assert.equal(await device.count(), 1, 'the device still has it');
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByText('The passkey was not taken.').waitFor();
  await shoot(page, 'passkey-refused');
  await signIn(page, ADA.email, ADA.password);
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  await ada.close();
});
