// One's own account: who one is, and every way in.

import { useCallback, useEffect, useState } from 'react';
import { Link, useLocation, useNavigate, useSearchParams } from 'react-router';
import { Section, useTitle } from '../parts/frame';
import { Time } from '../parts/time';
import { useSession, type User } from '../session';
import { Factors } from './account/factors';
import { Logins, type Linking } from './account/logins';
import { NoPassword, Password } from './account/password';
import { Sessions } from './account/sessions';
import { Tokens } from './account/tokens';

export function AccountPage() {
  useTitle('Account');
  const session = useSession();
  const { hash } = useLocation();
  const linking = useLinking();
  // What changes how one signs in ends other sessions: they are listed anew.
  const [changes, setChanges] = useState(0);
  const changed = useCallback(() => {
    setChanges((count) => count + 1);
  }, []);
  useEffect(() => {
    if (hash) document.getElementById(hash.slice(1))?.scrollIntoView();
  }, [hash]);
  if (session.state === 'off') {
    return (
      <>
        <h1>Account</h1>
        <Section title="No account to show">
          <p>While sign-in is off, nobody says who he is. The passwords, passkeys and tokens of your team are kept for when it is on again.</p>
          <p>
            To get at your own account now, <Link to="/login">sign in all the same</Link>.
          </p>
        </Section>
      </>
    );
  }
  if (session.state !== 'somebody') return null;
  return (
    <>
      <h1>Account</h1>
      <You user={session.user} />
      {session.user.has_password ? <Password email={session.user.email} onChanged={changed} /> : <NoPassword />}
      <Factors onChanged={changed} />
      <Logins linking={linking} />
      <Sessions key={changes} />
      <Tokens />
    </>
  );
}

/** Takes what a provider's answer led to out of the address: who loads the page again has read it. */
function useLinking(): Linking {
  const [query] = useSearchParams();
  const navigate = useNavigate();
  const [linking] = useState<Linking>(() => ({ linked: query.get('linked'), error: query.get('error') }));
  const isThere = query.has('linked') || query.has('error');
  useEffect(() => {
    if (isThere) void navigate('/settings/account', { replace: true });
  }, [isThere, navigate]);
  return linking;
}

function You({ user }: { user: User }) {
  return (
    <Section title="You">
      <dl className="facts">
        <dt>E-mail</dt>
        <dd>{user.email}</dd>
        <dt>Role</dt>
        <dd>
          <span className="badge">{user.role}</span>
        </dd>
        <dt>Here since</dt>
        <dd>
          <Time at={user.created_at} />
        </dd>
        {user.last_login_at && (
          <>
            <dt>Last sign-in</dt>
            <dd>
              <Time at={user.last_login_at} />
            </dd>
          </>
        )}
      </dl>
    </Section>
  );
}
