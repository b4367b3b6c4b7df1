// What is said to a person: that something was not done, and why; or that it was.

import { useEffect, useState, type ReactNode } from 'react';
import type { Failure } from '../api/failure';

/** Says what went wrong, what to do next, and when it is worth trying again. */
export function FailureNotice({ failure }: { failure: Failure | null }) {
  return (
    <div role="alert" className="alert-place">
      {failure && (
        <div className="notice notice-bad">
          <p>
            <strong>{failure.message}.</strong>
          </p>
          {failure.issues.length > 0 && (
            <ul>
              {failure.issues.map((issue) => (
                <li key={issue}>{issue}</li>
              ))}
            </ul>
          )}
          {failure.hint && <p>{failure.hint}.</p>}
          {failure.retryAt !== null && <Countdown until={failure.retryAt} />}
          {failure.status >= 500 && failure.requestId && (
            <p className="quiet">
              Request <code>{failure.requestId}</code>
            </p>
          )}
        </div>
      )}
    </div>
  );
}

export function DoneNotice({ children }: { children: ReactNode }) {
  return (
    <div role="status" className="alert-place">
      {children && <div className="notice notice-good">{children}</div>}
    </div>
  );
}

/** Returns the seconds left until `until`, counting down. */
export function useSecondsLeft(until: number | null): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (until === null) return;
    const tick = () => {
      setNow(Date.now());
    };
    const timers = [setTimeout(tick), setInterval(tick, 500)];
    return () => {
      timers.forEach(clearInterval);
    };
  }, [until]);
  return until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1000));
}

function Countdown({ until }: { until: number }) {
  const seconds = useSecondsLeft(until);
  if (seconds === 0) return <p>It can be tried again now.</p>;
  const clock = `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
  // A screen reader is told once, not every second.
  return (
    <p>
      Try again in{' '}
      <span role="timer" aria-live="off" className="clock">
        {clock}
      </span>
      .
    </p>
  );
}
