import { Entrance } from '../parts/frame';
import { PasswordForm } from '../parts/password-form';
import { SignOutLink } from '../parts/sign-out-link';
import { stepDone, useSession } from '../session';

/** A password that somebody else chose, or that is too old, is changed before anything else. */
export function ChangePasswordPage() {
  const session = useSession();
  if (session.state !== 'somebody') return null;
  return (
    <Entrance title="Choose another password" foot={<SignOutLink />}>
      <p className="about">The password of {session.user.email} must be changed before you go on.</p>
      <PasswordForm email={session.user.email} isFirst onDone={stepDone} />
    </Entrance>
  );
}
