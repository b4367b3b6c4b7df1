import { useAct } from '../act';
import { signOut } from '../session';

export function SignOutLink() {
  const act = useAct();
  return (
    <button type="button" className="button-link" disabled={act.isBusy} onClick={() => void act.run(signOut)}>
      Sign out
    </button>
  );
}
