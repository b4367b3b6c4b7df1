// Ways to sign in beside a password. A server that has none of them answers 404, and nothing of this is shown.

import { CalledOff } from '../act';
import { api, take, type Schemas } from './client';

interface Provider {
  name: string;
  label: string;
  login_url: string;
}

export interface Ways {
  passkeys: boolean;
  oauth: Provider[];
}

interface Question {
  key: string;
  options: { publicKey: PublicKeyCredentialRequestOptionsJSON };
}

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

// These routes are not in the document of every server, so nothing is known of their types.
const untyped = api as unknown as {
  GET: (path: string) => Promise<Answer>;
  POST: (path: string, sent?: { body: unknown }) => Promise<Answer>;
};

/** Whether this browser can show a passkey in the form the server asks for it. */
function canShowPasskeys(): boolean {
  return 'PublicKeyCredential' in window && 'parseRequestOptionsFromJSON' in PublicKeyCredential;
}

/** Returns the ways the server tells of; none where it does not. */
export async function ways(): Promise<Ways> {
  try {
    const told = (await take(untyped.GET('/auth/providers'))) as Partial<Ways>;
    // An address of ours, or none.
    const oauth = (told.oauth ?? []).filter(({ login_url }) => login_url.startsWith('/api/auth/oauth/'));
    return { passkeys: told.passkeys === true && canShowPasskeys(), oauth };
  } catch {
    return { passkeys: false, oauth: [] };
  }
}

/** Signs in with a passkey alone, or shows one as second factor: `sign-in` or `verify`. */
export async function showPasskey(step: 'sign-in' | 'verify'): Promise<Schemas['LoginAnswer']> {
  const asked = (await take(untyped.POST(`/auth/passkeys/${step}/begin`))) as Question;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.options.publicKey);
  const credential = await navigator.credentials.get({ publicKey }).catch((thrown: unknown) => {
    // Called off by whoever sits there, or there is none: the browser has said so itself.
    if (thrown instanceof DOMException && thrown.name === 'NotAllowedError') throw new CalledOff();
    throw thrown;
  });
  if (!(credential instanceof PublicKeyCredential)) throw new CalledOff();
  const body = { key: asked.key, answer: credential.toJSON() as unknown };
  return (await take(untyped.POST(`/auth/passkeys/${step}/finish`, { body }))) as Schemas['LoginAnswer'];
}
