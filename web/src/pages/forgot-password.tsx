import { useState } from 'react';
import { Link } from 'react-router';
import { useAct } from '../act';
import { api, take } from '../api/client';
import { Submit } from '../parts/buttons';
import { Field } from '../parts/field';
import { Entrance } from '../parts/frame';
import { FailureNotice } from '../parts/notice';
import { useWays } from '../ways';

export function ForgotPasswordPage() {
  const [email, setEmail] = useState('');
  const [isAsked, setAsked] = useState(false);
  const act = useAct();
  const ways = useWays();
  const back = <Link to="/login">Back to signing in</Link>;
  if (isAsked) {
    return (
      <Entrance title="Look at your mail" foot={back}>
        <p role="status">
          If there is an account for <strong>{email.trim()}</strong>, a link is on its way. It is good for a short time.
        </p>
        <p className="quiet">Nothing there after some minutes? An admin can make a link for you.</p>
      </Entrance>
    );
  }
  if (ways && !ways.reset_by_mail) {
    return (
      <Entrance title="Forgot your password?" foot={back}>
        <p>This server sends no mail. Ask an admin: he makes you a link, with which you choose another password.</p>
        <p className="quiet">
          Are you the only admin? Then whoever runs the server makes the link in its terminal: <code>dango user reset-password</code> with your
          address.
        </p>
      </Entrance>
    );
  }
  return (
    <Entrance title="Forgot your password?" foot={back}>
      <p className="about">Say who you are, and a link to choose another one is sent to you.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act.run(async () => {
            await take(api.POST('/auth/forgot-password', { body: { email: email.trim() } }));
            setAsked(true);
          });
        }}
      >
        <Field label="E-mail" type="email" value={email} onValue={setEmail} autoComplete="username" required autoFocus maxLength={254} />
        <FailureNotice failure={act.failure} />
        <div className="actions">
          <Submit act={act}>Send me a link</Submit>
        </div>
      </form>
    </Entrance>
  );
}
