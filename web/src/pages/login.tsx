// Signing in: a password or another way first, the second factor after that.

import { useState } from 'react';
import { Link, Navigate, useLocation, useSearchParams } from 'react-router';
import { useAct } from '../act';
import { own } from '../addresses';
import { api, take } from '../api/client';
import { signInByPasskey } from '../api/passkeys';
import { Submit } from '../parts/buttons';
import { CodeField, Field, PasswordField } from '../parts/field';
import { Entrance, Waiting } from '../parts/frame';
import { DoneNotice, FailureNotice } from '../parts/notice';
import { PasskeyButton, usePasskeysHere } from '../parts/passkey-button';
import { entered, signIn, signOut, useSession } from '../session';
import { useWays } from '../ways';

export function LoginPage() {
  const session = useSession();
  const [query] = useSearchParams();
  const [isWanted, setWanted] = useState(false);
  const next = own(query.get('return_to'), window.location.origin);
  // Whoever is in goes on; so does whoever has just come in.
  if (session.state === 'somebody') return <Navigate replace to={next} />;
  if (session.state === 'second-factor') return <SecondFactor />;
  if (session.state === 'unknown') {
    return (
      <main className="entrance">
        <Waiting what="Looking who you are" />
      </main>
    );
  }
  if (session.state === 'off' && !isWanted) {
    return (
      <NobodyHasTo
        onWanted={() => {
          setWanted(true);
        }}
      />
    );
  }
  return <FirstFactor next={next} error={query.get('error')} />;
}

/** While sign-in is off one may sign in all the same, for what is one's own. */
function NobodyHasTo({ onWanted }: { onWanted: () => void }) {
  return (
    <Entrance
      title="Nobody has to sign in"
      foot={
        <button type="button" className="button-link" onClick={onWanted}>
          Sign in all the same
        </button>
      }
    >
      <p>Sign-in is switched off at this computer. Whoever signs in all the same gets to his own account.</p>
      <div className="actions">
        <Link className="button-main" to="/">
          To the start page
        </Link>
      </div>
    </Entrance>
  );
}

/** What a provider's answer led to, by the codes of the server. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  login_refused: 'The other account did not say who you are, or you may not come in with it. Use your password, or ask an admin.',
  login_unknown: 'No account here is linked with that one. Sign in with your password and link it, or ask an admin.',
  rate_limited: 'Too many tries. Wait a minute, then try again.',
};

function FirstFactor({ next, error }: { next: string; error: string | null }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const act = useAct();
  const ways = useWays();
  const hasPasskeys = usePasskeysHere();
  const providers = ways?.oauth ?? [];
  const notice = (useLocation().state as { notice?: string } | null)?.notice;
  const isWrong = act.failure?.code === 'credentials_wrong';
  return (
    <Entrance title="Sign in" foot={<Link to="/forgot-password">Forgot your password?</Link>}>
      <DoneNotice>{notice}</DoneNotice>
      {error && (
        <div role="alert" className="notice notice-bad">
          <p>{ELSEWHERE[error] ?? 'Signing in with the other account did not work. Try again, or use your password.'}</p>
        </div>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act.run(() => signIn(email.trim(), password));
        }}
      >
        <Field
          label="E-mail"
          type="email"
          value={email}
          onValue={(value) => {
            // What was said is about another account now: its lock holds nobody else up.
            setEmail(value);
            act.clear();
          }}
          autoComplete="username"
          required
          autoFocus
          maxLength={254}
        />
        <PasswordField
          label="Password"
          value={password}
          onValue={setPassword}
          autoComplete="current-password"
          required
          wrong={isWrong ? act.failure?.words : undefined}
        />
        <FailureNotice failure={isWrong ? null : act.failure} />
        <div className="actions">
          <Submit act={act}>Sign in</Submit>
        </div>
      </form>
      {(hasPasskeys || providers.length > 0) && (
        <div className="other-ways">
          <p className="divider">or</p>
          {hasPasskeys && (
            <PasskeyButton
              show={async () => {
                entered(await signInByPasskey('sign-in'));
              }}
            />
          )}
          {providers.map(({ name, label, login_url }) => (
            <a key={name} className="button-other" href={`${login_url}?return_to=${encodeURIComponent(next)}`}>
              Continue with {label}
            </a>
          ))}
        </div>
      )}
    </Entrance>
  );
}

function SecondFactor() {
  const [code, setCode] = useState('');
  const [isRecovery, setRecovery] = useState(false);
  const act = useAct();
  const back = useAct();
  const hasPasskeys = usePasskeysHere();
  const isWrong = act.failure?.code === 'second_factor_wrong';
  return (
    <Entrance
      title="One more step"
      foot={
        <button type="button" className="button-link" disabled={back.isBusy} onClick={() => void back.run(signOut)}>
          Sign in as somebody else
        </button>
      }
    >
      <p className="about">
        {isRecovery ? 'Type one of the recovery codes you kept. It is used up by this.' : hasPasskeys
            ? 'Type the code that your authenticator app shows for Dango, or use a passkey.'
            : 'Open your authenticator app and type the code it shows for Dango.'}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act.run(async () => {
            const shown = isRecovery ? code.trim() : code.replaceAll(' ', '');
            entered(await take(api.POST('/auth/2fa/verify', { body: { code: shown, is_recovery: isRecovery } })));
          });
        }}
      >
        <CodeField
          key={String(isRecovery)}
          isRecovery={isRecovery}
          value={code}
          onValue={setCode}
          required
          autoFocus
          wrong={isWrong ? act.failure?.words : undefined}
        />
        <FailureNotice failure={back.failure ?? (isWrong ? null : act.failure)} />
        <div className="actions">
          <Submit act={act}>Sign in</Submit>
          <button
            type="button"
            className="button-plain"
            onClick={() => {
              setRecovery(!isRecovery);
              setCode('');
              act.clear();
            }}
          >
            {isRecovery ? 'Use the app' : 'Use a recovery code'}
          </button>
        </div>
      </form>
      {hasPasskeys && (
        <div className="other-ways">
          <p className="divider">or</p>
          <PasskeyButton
            show={async () => {
              entered(await signInByPasskey('verify'));
            }}
          />
        </div>
      )}
    </Entrance>
  );
}
