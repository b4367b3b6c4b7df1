import { useSession } from '../session';
import { useWays } from '../ways';

/** Says on every page that nobody is asked who he is, and how that is ended. */
export function SignInOff() {
  const isOff = useSession().state === 'off';
  const ways = useWays();
  if (!isOff && ways?.auth_enabled !== false) return null;
  return (
    <aside className="sign-in-off" aria-label="Sign-in is off">
      <p>
        <strong>Sign-in is off.</strong> Everybody at this computer can do nearly everything here, without a name or a password. To have
        people sign in again, run <code>dango auth enable</code> in a terminal, in the project’s folder.
      </p>
    </aside>
  );
}
