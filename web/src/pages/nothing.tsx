import { Link } from 'react-router';
import type { Failure } from '../api/failure';
import { useAct } from '../act';
import { Entrance } from '../parts/frame';
import { FailureNotice } from '../parts/notice';
import { look } from '../session';

export function NotFoundPage() {
  return (
    <Entrance title="Nothing here" foot={<Link to="/">To the start page</Link>}>
      <p>There is no page at this address. The link may be old, or a letter may be missing.</p>
    </Entrance>
  );
}

export function UnreachablePage({ failure }: { failure: Failure }) {
  const act = useAct();
  return (
    <Entrance title="Dango cannot be reached">
      <FailureNotice failure={failure} />
      <button type="button" className="button-main" disabled={act.isBusy} onClick={() => void act.run(look)}>
        Try again
      </button>
    </Entrance>
  );
}
