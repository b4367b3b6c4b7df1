// Links that are their own proof: an invite, and a reset. Both end in a password.

import { useCallback, useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { useAct } from '../act';
import { api, take } from '../api/client';
import { useLoaded } from '../load';
import { Submit } from '../parts/buttons';
import { Entrance, Waiting } from '../parts/frame';
import { isAboutNewPassword, NewPassword } from '../parts/new-password';
import { FailureNotice } from '../parts/notice';
import { signIn } from '../session';

const INVITE = {
  kind: 'invite',
  path: '/auth/accept-invite',
  title: 'Welcome to Dango',
  about: 'Choose a password for your account.',
  submit: 'Make my account',
  done: 'Your account is ready. Sign in with your password.',
  spent: 'An invite is good once and for three days. Ask whoever invited you for another one.',
} as const;

const RESET = {
  kind: 'reset',
  path: '/auth/reset-password',
  title: 'Choose another password',
  about: 'It takes the place of the old one, and everybody signed in with that is signed out.',
  submit: 'Change the password',
  done: 'Your password is changed. Sign in with it.',
  spent: 'A link to choose a password is good once and for a short time.',
} as const;

export function InvitePage() {
  return <LinkPage words={INVITE} />;
}

export function ResetPasswordPage() {
  return <LinkPage words={RESET} />;
}

type Words = typeof INVITE | typeof RESET;

function LinkPage({ words }: { words: Words }) {
  const token = (useLocation().state as { token?: string } | null)?.token;
  if (!token) return <Spent words={words} />;
  return <WithToken words={words} token={token} />;
}

function WithToken({ words, token }: { words: Words; token: string }) {
  const load = useCallback(
    () => take(api.POST('/auth/links/{kind}', { params: { path: { kind: words.kind } }, body: { token } })),
    [words, token],
  );
  const link = useLoaded(load);
  if (link.value) return <Choose words={words} token={token} email={link.value.email} />;
  if (!link.failure) {
    return (
      <main className="entrance">
        <Waiting what="Looking at the link" />
      </main>
    );
  }
  // A limit or an outage says nothing about the link.
  if (link.failure.retryAt === null && link.failure.status >= 400 && link.failure.status < 500) return <Spent words={words} />;
  return (
    <Entrance title={words.title}>
      <FailureNotice failure={link.failure} />
      <button type="button" className="button-main" onClick={() => void link.again()}>
        Try again
      </button>
    </Entrance>
  );
}

function Spent({ words }: { words: Words }) {
  const another = words.kind === 'reset' && <Link to="/forgot-password">Ask for another link</Link>;
  return (
    <Entrance title="This link is not good any more" foot={another || <Link to="/login">Sign in</Link>}>
      <p>{words.spent}</p>
    </Entrance>
  );
}

function Choose({ words, token, email }: { words: Words; token: string; email: string }) {
  const [password, setPassword] = useState('');
  const act = useAct();
  const navigate = useNavigate();
  return (
    <Entrance title={words.title}>
      <p className="about">{words.about}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act.run(async () => {
            await take(api.POST(words.path, { body: { token, password } }));
            // The link is used up; whatever happens now, it is not to be tried again.
            await signIn(email, password).catch(() => undefined);
            await navigate('/login', { replace: true, state: { notice: words.done } });
          });
        }}
      >
        <div className="field">
          <span className="label">E-mail</span>
          <p className="fixed-value">{email}</p>
          {/* For password managers, which want to know whose password it is. */}
          <input type="email" className="off-screen" value={email} readOnly autoComplete="username" tabIndex={-1} aria-hidden="true" />
        </div>
        <NewPassword label="Password" value={password} onValue={setPassword} failure={act.failure} isFirst />
        <FailureNotice failure={isAboutNewPassword(act.failure) ? null : act.failure} />
        <div className="actions">
          <Submit act={act}>{words.submit}</Submit>
        </div>
      </form>
    </Entrance>
  );
}
