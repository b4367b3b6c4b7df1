// Who is signed in, as far as this page knows: the session itself is a cookie that no script can read.

import { useSyncExternalStore } from 'react';
import { api, take, type Schemas } from './api/client';
import { Failure, failureOf } from './api/failure';

export type User = Schemas['UserRead'];
type Step = 'change-password' | 'enrol';

export type Session =
  | { state: 'unknown' }
  | { state: 'nobody' }
  /** Sign-in is switched off: whoever sits at the machine is let in without a name. */
  | { state: 'off' }
  | { state: 'second-factor' }
  | { state: 'unreachable'; failure: Failure }
  | { state: 'somebody'; user: User; step: Step | null };

let session: Session = { state: 'unknown' };
const listeners = new Set<() => void>();

function set(next: Session) {
  session = next;
  for (const listener of listeners) listener();
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}

/** Returns whether whoever is signed in has a password: others come in by a passkey or a linked login. */
export function useHasPassword(): boolean {
  const session = useSession();
  return session.state !== 'somebody' || session.user.has_password;
}

/** Asks the server who is signed in. */
export async function look(): Promise<void> {
  try {
    const user = await take(api.GET('/auth/me'));
    if ('auth_enabled' in user) {
      set({ state: 'off' });
      return;
    }
    const kept = session.state === 'somebody' && session.step === 'enrol' ? session.step : null;
    set({ state: 'somebody', user, step: user.must_change_password ? 'change-password' : kept });
  } catch (thrown) {
    // What a refusal means was noticed when it came.
    const failure = failureOf(thrown);
    if (failure.status !== 401) set({ state: 'unreachable', failure });
  }
}

/** Draws the conclusions of a refusal: every answer may say that the session has ended, or that a step comes first. */
export function noticed(failure: Failure): void {
  if (failure.code === 'second_factor_pending') set({ state: 'second-factor' });
  else if (failure.status === 401) set({ state: 'nobody' });
  else if (failure.code === 'password_change_required') stopAt('change-password');
  else if (failure.code === 'second_factor_required') stopAt('enrol');
}

function stopAt(step: Step) {
  if (session.state === 'somebody' && session.step !== step) set({ ...session, step });
}

/** Takes over how far a sign-in has come. */
export function entered(answer: Schemas['LoginAnswer']): void {
  if (answer.requires_2fa || !answer.user) {
    set({ state: 'second-factor' });
    return;
  }
  const step = answer.must_change_password ? 'change-password' : answer.requires_2fa_setup ? 'enrol' : null;
  set({ state: 'somebody', user: answer.user, step });
}

/** The step that came first is done. */
export async function stepDone(): Promise<void> {
  if (session.state === 'somebody') set({ ...session, step: null });
  await look();
}

export async function signIn(email: string, password: string): Promise<void> {
  entered(await take(api.POST('/auth/login', { body: { email, password } })));
}

/** Ends the session. Where there is none any more, that is as good. */
export async function signOut(): Promise<void> {
  try {
    await take(api.POST('/auth/logout'));
  } catch (thrown) {
    if (failureOf(thrown).status !== 401) throw thrown;
  }
  // While sign-in is off somebody is let in all the same.
  await look();
}
