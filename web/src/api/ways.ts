// Ways to sign in, as the server tells of them to whoever asks.

import { api, take, type Schemas } from './client';

export type Ways = Schemas['Ways'];

export async function ways(): Promise<Ways> {
  const told = await take(api.GET('/auth/providers'));
  // An address of ours, or none.
  const oauth = told.oauth.filter(({ login_url }) => login_url.startsWith('/api/auth/oauth/'));
  return { ...told, oauth };
}
