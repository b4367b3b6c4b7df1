// Which ways to sign in there are, asked once for all pages, and again when somebody comes or goes.

import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from 'react';
import { ways, type Ways } from './api/ways';
import { useSession } from './session';

const WaysContext = createContext<Ways | null>(null);

/** Returns the ways, `null` as long as the server has not told of any. */
export function useWays(): Ways | null {
  return useContext(WaysContext);
}

export function WaysProvider({ children }: { children: ReactNode }) {
  const { state } = useSession();
  const [known, setKnown] = useState<Ways | null>(null);
  const before = useRef<string | null>(null);
  useEffect(() => {
    const isJustKnown = before.current === 'unknown';
    before.current = state;
    // Asked while it was looked who is there: finding that out changes nothing.
    if (isJustKnown) return;
    // Without an answer there is the password, as ever.
    void ways().then(setKnown, () => undefined);
  }, [state]);
  return <WaysContext value={known}>{children}</WaysContext>;
}
