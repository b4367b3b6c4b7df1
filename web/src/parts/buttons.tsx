import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useSecondsLeft } from './notice';
import type { Act } from '../act';

/** Sends a form. While it runs, and while the server says to wait, it cannot be sent again. */
export function Submit({ act, children }: { act: Act; children: ReactNode }) {
  const seconds = useSecondsLeft(act.failure?.retryAt ?? null);
  return (
    <button type="submit" className="button-main" disabled={act.isBusy || seconds > 0} aria-busy={act.isBusy}>
      {children}
    </button>
  );
}

/** Copies a text; where the browser does not let it, there is no button. */
export function CopyButton({ text, children }: { text: string; children: ReactNode }) {
  const [isCopied, setCopied] = useState(false);
  const timer = useRef<number>(undefined);
  useEffect(() => () => {
    clearTimeout(timer.current);
  }, []);
  // Not there on pages without TLS, whatever the types say.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (!clipboard) return null;
  return (
    <button
      type="button"
      className="button-plain"
      onClick={() => {
        void clipboard.writeText(text).then(() => {
          setCopied(true);
          timer.current = window.setTimeout(() => {
            setCopied(false);
          }, 2500);
        });
      }}
    >
      <span aria-live="polite">{isCopied ? 'Copied' : children}</span>
    </button>
  );
}
