// Something a page shows that comes from the server.

import { useCallback, useEffect, useState } from 'react';
import { Failure, failureOf } from './api/failure';

export interface Loaded<T> {
  value: T | null;
  failure: Failure | null;
  again: () => Promise<void>;
}

/** Loads once, and again when asked; `load` must not change between renders. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const again = useCallback(
    () =>
      load().then(
        (loaded) => {
          setValue(loaded);
          setFailure(null);
        },
        (thrown: unknown) => {
          setFailure(failureOf(thrown));
        },
      ),
    [load],
  );
  useEffect(() => {
    void again();
  }, [again]);
  return { value, failure, again };
}
