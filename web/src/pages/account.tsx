// One's own account: who one is, and every way in.

import { useLocation } from 'react-router';
import { useEffect } from 'react';
import { Section, useTitle } from '../parts/frame';
import { Time } from '../parts/time';
import { useSession } from '../session';
import { Password } from './account/password';
import { Sessions } from './account/sessions';
import { Tokens } from './account/tokens';
import { TwoStep } from './account/two-step';

export function AccountPage() {
  useTitle('Account');
  const session = useSession();
  const { hash } = useLocation();
  useEffect(() => {
    if (hash) document.getElementById(hash.slice(1))?.scrollIntoView();
  }, [hash]);
  if (session.state !== 'somebody') return null;
  const { user } = session;
  return (
    <>
      <h1>Account</h1>
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
      <Password email={user.email} />
      <TwoStep />
      <Sessions />
      <Tokens />
    </>
  );
}
