import { useAct } from '../act';
import { knowsPasskeys } from '../api/passkeys';
import { useWays } from '../ways';
import { FailureNotice } from './notice';

/** Whether a passkey can be used here: the server's address allows it, and this browser knows how. */
export function usePasskeysHere(): boolean {
  const ways = useWays();
  return ways?.passkeys === true && knowsPasskeys();
}

interface Props {
  /** Shows the passkey, and goes on from there. */
  show: () => Promise<void>;
  isMain?: boolean;
}

export function PasskeyButton({ show, isMain = false }: Props) {
  const act = useAct();
  return (
    <>
      <button
        type="button"
        className={isMain ? 'button-main' : 'button-other'}
        disabled={act.isBusy}
        aria-busy={act.isBusy}
        autoFocus={isMain}
        onClick={() => void act.run(show)}
      >
        Use a passkey
      </button>
      <FailureNotice failure={act.failure} />
    </>
  );
}
