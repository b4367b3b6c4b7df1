// The first admin, by the link that the terminal showed.

import { useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { useAct } from '../act';
import { api, take } from '../api/client';
import { useLoaded } from '../load';
import { Submit } from '../parts/buttons';
import { Field } from '../parts/field';
import { Entrance, Waiting } from '../parts/frame';
import { isAboutNewPassword, NewPassword } from '../parts/new-password';
import { FailureNotice } from '../parts/notice';
import { signIn } from '../session';

const isOpen = () => take(api.GET('/auth/setup'));

export function SetUpPage() {
  const token = (useLocation().state as { token?: string } | null)?.token;
  const open = useLoaded(isOpen);
  const toLogin = <Link to="/login">Sign in</Link>;
  if (open.failure?.status === 404) {
    return (
      <Entrance title="Dango is set up" foot={toLogin}>
        <p>There is an admin already, so this link does nothing any more. An admin can invite you.</p>
      </Entrance>
    );
  }
  if (open.failure) {
    return (
      <Entrance title="Set Dango up">
        <FailureNotice failure={open.failure} />
      </Entrance>
    );
  }
  if (!open.value) {
    return (
      <main className="entrance">
        <Waiting what="Looking whether there is an admin" />
      </main>
    );
  }
  if (!token) {
    return (
      <Entrance title="Set Dango up">
        <p>
          The first admin is made by a link that the terminal shows. <code>dango start</code> prints a new one.
        </p>
      </Entrance>
    );
  }
  return <FirstAdmin token={token} />;
}

function FirstAdmin({ token }: { token: string }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const act = useAct();
  const navigate = useNavigate();
  const wrongEmail = act.failure?.fields.get('email');
  return (
    <Entrance title="Set Dango up">
      <p className="about">You are the first here. This makes your account, the admin’s.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act.run(async () => {
            const address = email.trim();
            await take(api.POST('/auth/setup', { body: { token, email: address, password } }));
            await signIn(address, password);
            await navigate('/', { replace: true });
          });
        }}
      >
        <Field label="E-mail" type="email" value={email} onValue={setEmail} autoComplete="username" required autoFocus maxLength={254} wrong={wrongEmail} />
        <NewPassword label="Password" value={password} onValue={setPassword} failure={act.failure} />
        <FailureNotice failure={wrongEmail || isAboutNewPassword(act.failure) ? null : act.failure} />
        <div className="actions">
          <Submit act={act}>Make the admin’s account</Submit>
        </div>
      </form>
    </Entrance>
  );
}
