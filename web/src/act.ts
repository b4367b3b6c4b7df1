// Something a person does that takes the server: it runs once at a time, and what goes wrong is kept to be shown.

import { useCallback, useRef, useState } from 'react';
import { Failure, failureOf } from './api/failure';

/** Thrown by what somebody has called off himself: nothing is to be said about it. */
export class CalledOff extends Error {}

export interface Act {
  isBusy: boolean;
  failure: Failure | null;
  run: (work: () => Promise<void>) => Promise<void>;
  clear: () => void;
}

export function useAct(): Act {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const running = useRef(false);
  const run = useCallback(async (work: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setFailure(null);
    try {
      await work();
    } catch (thrown) {
      if (!(thrown instanceof CalledOff)) setFailure(failureOf(thrown));
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => {
    setFailure(null);
  }, []);
  return { isBusy, failure, run, clear };
}
