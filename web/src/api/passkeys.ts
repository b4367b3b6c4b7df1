// Passkeys: the server asks, the browser answers. What goes wrong between the browser and the device is said in words.

import { api, take, type Schemas } from './client';
import { Failure } from './failure';

/** Whether this browser knows passkeys in the form in which the server asks for them. */
export function knowsPasskeys(): boolean {
  return (
    'PublicKeyCredential' in window &&
    'parseRequestOptionsFromJSON' in PublicKeyCredential &&
    'parseCreationOptionsFromJSON' in PublicKeyCredential
  );
}

/** Makes a passkey on a device of whoever is signed in, and has the server keep it. */
export async function makePasskey(name: string): Promise<Schemas['Registered']> {
  const { key, options } = await take(api.POST('/auth/passkeys/register/begin'));
  const asked = options as { publicKey: PublicKeyCredentialCreationOptionsJSON };
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.publicKey);
  const answer = await answered(() => navigator.credentials.create({ publicKey }));
  return take(api.POST('/auth/passkeys/register/finish', { body: { name, key, answer } }));
}

/** Signs in with a passkey alone, or shows one as the second factor. */
export async function signInByPasskey(step: 'sign-in' | 'verify'): Promise<Schemas['LoginAnswer']> {
  const body = await shown(await take(api.POST(`/auth/passkeys/${step}/begin`)));
  return take(api.POST(`/auth/passkeys/${step}/finish`, { body }));
}

/** Shows again who one is. */
export async function proveByPasskey(): Promise<void> {
  const body = await shown(await take(api.POST('/auth/passkeys/reauthenticate/begin')));
  await take(api.POST('/auth/passkeys/reauthenticate/finish', { body }));
}

async function shown({ key, options }: Schemas['Asked']): Promise<Schemas['Shown']> {
  const asked = options as { publicKey: PublicKeyCredentialRequestOptionsJSON };
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey);
  return { key, answer: await answered(() => navigator.credentials.get({ publicKey })) };
}

async function answered(ask: () => Promise<Credential | null>): Promise<Record<string, unknown>> {
  const credential = await ask().catch((thrown: unknown) => {
    throw new Failure(0, problemOf(thrown instanceof DOMException ? thrown.name : ''));
  });
  if (!(credential instanceof PublicKeyCredential)) throw new Failure(0, problemOf('NotAllowedError'));
  return credential.toJSON() as Record<string, unknown>;
}

function problemOf(name: string) {
  switch (name) {
    // Browsers do not tell these apart, so that no page learns which passkeys somebody has.
    case 'NotAllowedError':
    case 'AbortError':
      return {
        code: 'passkey_not_shown',
        message: 'no passkey was used: it was called off, took too long, or there is none here',
        hint: 'try again, or take another way',
      };
    case 'InvalidStateError':
      return {
        code: 'passkey_exists',
        message: 'this device has a passkey for your account already',
        hint: 'use that one, or add one on another device',
      };
    case 'SecurityError':
      return {
        code: 'passkey_elsewhere',
        message: 'passkeys belong to another address of this server',
        hint: 'open Dango at the address your team uses, over https',
      };
    default:
      return {
        code: 'passkey_failed',
        message: 'the browser or the device could not do this with a passkey',
        hint: 'try again, or take another device',
      };
  }
}
